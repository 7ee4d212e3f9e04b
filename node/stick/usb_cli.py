"""`loa node usb export`, `import` and `confirm`: the post of a station without a network.

They work beside a running station and on a stopped one; a person types the same. After an import, a person is
asked for the time when an emergency from the stick waits for it; nothing is ever answered for them.

Bound: a shell's options and exit codes. The words are `usb_words`, the acts `handover`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from node.stick.reach import folder_or_station

if TYPE_CHECKING:
    from node.clock import Clock
    from node.stick.handover import Counter

Plain: TypeAlias = Callable[[], AbstractContextManager[None]]

FOLDER = click.Path(file_okay=False, exists=True, path_type=Path)
INCOMPLETE_EXIT: Final = 20
TRIES_MAX: Final = 3  # of a person who types neither yes nor no

as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
folder_option = click.option(
    "--dir", "folder", type=FOLDER, required=True, help="The folder made by `loa node init`."
)
confirm_option = click.option(
    "--confirm-time", "said", metavar="YYYY-MM-DDTHH:MM",
    help="For scripts: the time of now in Vietnam, by another clock than this box's. Without it a person is "
    "asked when an emergency from a stick waits for it.",
)  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """What the shell gives. clock: made when wanted."""

    clock: Callable[[], Clock]
    entropy: Callable[[int], bytes]
    sleep: Callable[[float], None]


def add_usb(group: click.Group, plain_errors: Plain, machine: Machine) -> None:
    """Hangs the group `usb` into `group`."""

    @contextmanager
    def counter_of(folder: Path) -> Iterator[Counter]:
        from node.stick.handover import Alone, Beside
        from node.stick.usb import alone

        with folder_or_station(folder, machine.entropy, machine.sleep) as found:
            if isinstance(found, Beside):
                yield found
            else:
                yield Alone(alone(found, clock=machine.clock(), entropy=machine.entropy))

    @group.group()
    def usb() -> None:
        """Carries reports and decisions on a USB stick, beside a running station or with it stopped."""

    @usb.command("export")
    @folder_option
    @as_json_option
    @click.argument("path", type=click.Path(path_type=Path))
    def put_out(folder: Path, as_json: bool, path: Path) -> None:
        """Writes this station's reports and a request into a folder, or into one .loa file."""
        from node.stick import usb_words

        with plain_errors(), counter_of(folder) as counter:
            sent = counter.put_out(path)
            if as_json:
                click.echo(json.dumps(sent))
                return
            _say(usb_words.sent(sent))

    @usb.command("import")
    @folder_option
    @as_json_option
    @confirm_option
    @click.argument("path", type=click.Path(exists=True, path_type=Path))
    def take_in(folder: Path, as_json: bool, said: str | None, path: Path) -> None:
        """Takes in the hub's answer from a folder, or from one .loa file."""
        from node.stick import usb_words

        _check(said)
        with plain_errors(), counter_of(folder) as counter:
            brought = counter.take_in(path)
            done = brought["received"]
            if not as_json:
                _say(usb_words.received(done))
            settled = _ask(counter, brought["question"], said, quiet=as_json)
        if as_json:
            click.echo(json.dumps(done | {"time": settled}, ensure_ascii=False))
        if not done["is_clean"] or settled not in ("", "confirmed"):
            raise SystemExit(INCOMPLETE_EXIT)

    @usb.command("confirm")
    @folder_option
    @as_json_option
    @confirm_option
    def confirm(folder: Path, as_json: bool, said: str | None) -> None:
        """Asks a person for the time, when an emergency that came by stick waits for it.

        A yes is good until the machine starts anew or its clock is set.
        """
        _check(said)
        with plain_errors(), counter_of(folder) as counter:
            question = counter.ask()
            settled = _ask(counter, question, said, quiet=as_json)
        if as_json:
            click.echo(json.dumps({"time": settled}))
        elif question is None:
            _say(["Không có gì phải xác nhận. · Nothing waits to be confirmed."])
        if settled not in ("", "confirmed"):
            raise SystemExit(INCOMPLETE_EXIT)


def _check(said: str | None) -> None:
    from node.stick.usb_words import read_time

    if said is not None and read_time(said) is None:
        raise click.BadParameter("a time such as 2026-11-23T17:05", param_hint="--confirm-time")


def _ask(counter: Counter, question: dict[str, Any] | None, said: str | None, *, quiet: bool) -> str:
    """What became of it: "" when nothing waits, "confirmed", "wrong", or "open" when nobody answered."""
    from node.stick import usb_words

    if question is None:
        return ""
    if not quiet:
        _say(usb_words.orders_of(question))
    yes: bool | None = None
    if question["behind"]:
        yes = False
    elif said is not None:
        given_s = usb_words.read_time(said)
        assert given_s is not None
        yes = usb_words.agrees(given_s, question["utc_s"])
    elif not quiet:
        yes = _asked_a_person(question)
    if yes is None:
        # Nobody is there: what was said before is not taken back, and nothing is said anew.
        _say(usb_words.not_confirmed(question), quiet)
        return "open"
    if counter.say(question, yes=yes):
        _say(usb_words.confirmed(question), quiet)
        return "confirmed"
    _say(usb_words.changed() if yes else usb_words.not_confirmed(question), quiet)
    return "open" if yes else "wrong"


def _asked_a_person(question: dict[str, Any]) -> bool | None:
    """Yes, no, or None when nobody answers."""
    from node.stick import usb_words

    _say(usb_words.asked(question))
    for _ in range(TRIES_MAX):
        try:
            typed = click.prompt("[có/không · yes/no]", type=str, prompt_suffix=" ")
        except click.Abort:
            return None
        word = unicodedata.normalize("NFC", typed.strip().lower())
        if word in usb_words.YES | usb_words.NO:
            return word in usb_words.YES
    return None


def _say(lines: Iterable[str], quiet: bool = False) -> None:
    if not quiet:
        for line in lines:
            click.echo(line)

"""`loa hub cap …`: warnings as CAP 1.2 files, out and in, and whose signatures this hub knows.

`import` only says what a file proposes: an order is given by a person at the emergency page. All of them want
the hub stopped, as every command does that opens its directory.

Bound: a shell's words; files are `hub.cap`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

import click

from hub.cap.files import all_clear_file, order_file, own_sender
from hub.cap.proposing import CANCEL, heard, propose
from hub.cap.reading import FILE_BYTES_MAX, read_alert
from hub.cap.senders import SIGNATURE_CHARS_MAX, check, distrust, load_senders, signature_of, trust
from hub.hub import Hub
from hub.shells import Option
from ledger.log import NotAllowed

Opened: TypeAlias = Callable[[Path], AbstractContextManager[Hub]]
a_file = click.Path(exists=True, dir_okay=False, path_type=Path)


def add_cap(group: click.Group, opened: Opened, directory: Option, as_json: Option) -> None:
    """Hangs `cap` into `group`."""

    @group.group()
    def cap() -> None:
        """Warnings as CAP 1.2 files, out and in."""

    @cap.command("export")
    @directory
    @click.option("--all-clear", is_flag=True, help="The all-clear that ended it, instead of the order.")
    @click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file.")
    @click.argument("series", type=int)
    def export(folder: Path, all_clear: bool, out: Path, series: int) -> None:
        """Writes an emergency as a CAP file, and this hub's signature beside it (.sig)."""
        with opened(folder) as house:
            data = all_clear_file(house, series) if all_clear else order_file(house, series)
            if data is None:
                raise NotAllowed(
                    "no-all-clear", f"{series} was not ended everywhere", hint="leave --all-clear out"
                )
            signature = signature_of(house.key, data)
        put(data, out)
        put(signature.encode() + b"\n", out.with_name(out.name + ".sig"))
        click.echo(f"{out} and {out.name}.sig written, {len(data)} bytes.")

    @cap.command("import")
    @directory
    @as_json
    @click.option("--signature", type=a_file, help="The .sig file that came with it.")
    @click.argument("file", type=a_file)
    def import_(folder: Path, plain_json: bool, signature: Path | None, file: Path) -> None:
        """Says what a CAP file proposes and what was checked. Orders nothing."""
        data = take(file, FILE_BYTES_MAX + 1)
        beside = take(signature, SIGNATURE_CHARS_MAX + 1).decode("ascii", "replace") if signature else ""
        with opened(folder) as house:
            alert = read_alert(data)
            checked = check(load_senders(house.store), alert.sender, data, beside)
            said: dict[str, object] = {
                "sender": alert.sender, "identifier": alert.identifier, "status": alert.status,
                "type": alert.msg_type, "signature": checked.state,
                "references": [one.identifier for one in alert.references],
            }  # fmt: skip
            if alert.msg_type == CANCEL:
                heard(alert, now=house.now())
            else:
                known = {house.config.province, *house.facts.stations}
                got = propose(alert, territory=house.config.province, units=known, now=house.now())
                said |= {
                    "kind": got.kind, "level": got.level, "drill": got.drill, "hours": got.hours,
                    "territories": list(got.territories), "notes": list(got.notes), "text": got.text,
                }  # fmt: skip
        if plain_json:
            click.echo(json.dumps(said, ensure_ascii=False))
            return
        for name, value in said.items():
            click.echo(f"{name:12} {', '.join(map(str, value)) if isinstance(value, list) else value}")
        click.echo("Nothing was ordered. A person orders it at the emergency page.")

    @cap.command("trust")
    @directory
    @click.option("--name", required=True, help="What people call them.")
    @click.argument("sender")
    @click.argument("public")
    def trust_(folder: Path, name: str, sender: str, public: str) -> None:
        """Takes the public key of a sender (64 hex digits), heard from them and not from the file itself."""
        try:
            raw = bytes.fromhex(public)
        except ValueError:
            raise NotAllowed("key-length", "a public key has 64 hex digits", hint="ask the sender") from None
        with opened(folder) as house:
            made = trust(house.store, sender, name, raw)
        click.echo(f"{made.sender} ({made.name}): key {made.key_id}.")

    @cap.command("distrust")
    @directory
    @click.argument("sender")
    def distrust_(folder: Path, sender: str) -> None:
        """Forgets a sender's key."""
        with opened(folder) as house:
            distrust(house.store, sender)
        click.echo(f"{sender} is forgotten. Its files count as unchecked.")

    @cap.command("senders")
    @directory
    @as_json
    def senders(folder: Path, plain_json: bool) -> None:
        """This hub's own name and key, to give to others, and the senders whose keys it has."""
        with opened(folder) as house:
            rows = [
                {
                    "sender": own_sender(house),
                    "name": house.config.name,
                    "public": house.key.verify_key.raw.hex(),
                },
                *(
                    {"sender": s.sender, "name": s.name, "public": s.public.hex()}
                    for s in load_senders(house.store)
                ),
            ]
        if plain_json:
            click.echo(json.dumps(rows, ensure_ascii=False))
            return
        for at, row in enumerate(rows):
            click.echo(f"{row['sender']}  {row['public']}  {row['name']}{'  (this hub)' if not at else ''}")


def take(path: Path, bytes_max: int) -> bytes:
    """At most so much of a file."""
    with path.open("rb") as file:
        return file.read(bytes_max)


def put(data: bytes, out: Path) -> None:
    with click.open_file(str(out), "wb") as file:
        file.write(data)

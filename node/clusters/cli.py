"""`loa node clusters list`, `check`, `test` and `key`: for whoever mounts receivers.

They read the list and speak to the clusters themselves, beside a running station or without one. A question
disturbs nobody; `test` makes one cluster sound what the station's line carries, so it is for quiet minutes.

Bound: a shell's options, words and exit codes. Exit code 20: not every cluster answered as it should.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from node.stick.usb_cli import Machine, as_json_option, folder_option

if TYPE_CHECKING:
    from node.clusters.bringing import LineDriver
    from node.clusters.driver import Said
    from node.clusters.listing import ClusterEntry

Plain: TypeAlias = Callable[[], AbstractContextManager[None]]

INCOMPLETE_EXIT: Final = 20
ASKED_S: Final = 5.0
LOOK_S: Final = 0.05
TEST_ITEM: Final = bytes.fromhex("10a010a010a010a010a010a010a010a0")
_STATES: Final = {
    "no-answer": "không trả lời / no answer",
    "sounding": "đang phát / sounding",
    "muted": "bị tắt tiếng / muted",
    "ready": "sẵn sàng / ready",
    "standby": "chờ, âm ly tắt / standby",
}


def add_clusters(group: click.Group, plain_errors: Plain, machine: Machine) -> None:
    """Hangs the group `clusters` into `group`."""

    @contextmanager
    def driver_of(entries: tuple[ClusterEntry, ...]) -> Iterator[LineDriver]:
        from node.clusters.bringing import LineDriver
        from node.clusters.lines import Lines

        clock = machine.clock()
        driver = LineDriver(entries, Lines(entries, lambda: clock.now().mono_s), entropy=machine.entropy)
        try:
            yield driver
        finally:
            driver.close()

    def heard(
        driver: LineDriver, seconds: float, enough: Callable[[dict[int, Said]], bool]
    ) -> dict[int, Said]:
        clock = machine.clock()
        said: dict[int, Said] = {}
        until_s = clock.now().mono_s + seconds
        while (now_s := clock.now().mono_s) < until_s:
            said.update({one.nth: one for one in driver.poll(now_s)})
            if enough(said):
                break
            machine.sleep(LOOK_S)
        return said

    @group.group()
    def clusters() -> None:
        """The receiver clusters of this station: list them, ask them, try one."""

    @clusters.command("list")
    @folder_option
    @as_json_option
    def list_(folder: Path, as_json: bool) -> None:
        """Reads clusters.toml and says what it lists, in the order of the vector."""
        with plain_errors():
            entries = _entries(folder)
            _tell([_row(nth, entry) for nth, entry in enumerate(entries)], as_json)

    @clusters.command()
    @folder_option
    @as_json_option
    def check(folder: Path, as_json: bool) -> None:
        """Asks every cluster how it is. Beside a running station too."""
        with plain_errors():
            entries = _entries(folder)
            with driver_of(entries) as driver:
                driver.ask(machine.clock().now().mono_s)
                said = heard(driver, ASKED_S, lambda come: len(come) == len(entries))
            rows = [_row(nth, entry) | _state(said.get(nth)) for nth, entry in enumerate(entries)]
        _tell(rows, as_json)
        if len(said) < len(entries):
            raise SystemExit(INCOMPLETE_EXIT)

    @clusters.command()
    @folder_option
    @click.argument("number", type=click.IntRange(min=1))
    @click.option(
        "--seconds", type=click.IntRange(1, 600), default=10, show_default=True, help="How long it sounds."
    )
    def test(folder: Path, number: int, seconds: int) -> None:
        """Makes one cluster sound, then be silent, and says whether it obeyed. Not while a slot plays."""
        from ledger.log import NotAllowed
        from node.clusters.driver import Sound

        with plain_errors():
            entries = tuple(entry for entry in _entries(folder) if entry.number == number)
            if not entries:
                raise NotAllowed(
                    "cluster-unknown", f"no cluster here has the number {number}",
                    hint="loa node clusters list --dir D",
                )  # fmt: skip
            clock = machine.clock()
            with driver_of(entries) as driver:
                driver.begin(Sound(TEST_ITEM, seconds + 5), clock.now().mono_s)
                began = heard(driver, ASKED_S, lambda come: 0 in come and come[0].item == TEST_ITEM)
                click.echo(f"{number} {entries[0].name}: {_STATES[_state(began.get(0))['state']]}")
                if 0 in began and began[0].audible:
                    heard(driver, seconds, lambda come: False)
                driver.stop(clock.now().mono_s)
                ended = heard(driver, ASKED_S, lambda come: 0 in come and come[0].item is None)
            if 0 in ended:
                click.echo(f"{number} {entries[0].name}: {_STATES[_state(ended[0])['state']]}")
        obeyed = 0 in began and began[0].audible and 0 in ended and ended[0].item is None
        raise SystemExit(0 if obeyed else INCOMPLETE_EXIT)

    @clusters.command()
    def key() -> None:
        """Draws a key for one more cluster: 64 hex digits for clusters.toml and for the receiver."""
        from node.clusters.listing import KEY_BYTES

        click.echo(machine.entropy(KEY_BYTES).hex())


def _entries(folder: Path) -> tuple[ClusterEntry, ...]:
    """The list of this folder. Raises StoreError; warns when others may read the keys in it."""
    from ledger.log import DiskStore, StoreError
    from node.clusters.listing import CLUSTERS_NAME, load_clusters

    store = DiskStore(folder, readonly=True)
    try:
        entries = load_clusters(store)
    finally:
        store.close()
    if not entries:
        raise StoreError(
            "cluster-list-none", f"{CLUSTERS_NAME} lists no cluster", where=str(folder),
            hint="write one: docs/how-to/run-a-station.md",
        )  # fmt: skip
    if (folder / CLUSTERS_NAME).stat().st_mode & 0o077:
        click.echo(f"note: others may read the keys in it: chmod 600 {folder / CLUSTERS_NAME}", err=True)
    return entries


def _row(nth: int, entry: ClusterEntry) -> dict[str, Any]:
    return {
        "place_in_vector": nth, "number": entry.number, "name": entry.name, "place": entry.place,
        "driver": entry.driver, "address": entry.address, "volume": entry.volume,
    }  # fmt: skip


def _state(said: Said | None) -> dict[str, Any]:
    if said is None:
        return {"state": "no-answer"}
    state = "muted" if said.muted else "sounding" if said.audible else "ready" if said.powered else "standby"
    item = None if said.item is None else said.item.hex()
    return {"state": state, "item": item, "set_to": said.volume, "since_s": said.since_s}


def _tell(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        state = f"  {_STATES[row['state']]}" if "state" in row else ""
        place = f" ({row['place']})" if row["place"] else ""
        click.echo(f"{row['number']:>5}  {row['name']}{place}  {row['driver']} {row['address']}{state}")
    if rows and "state" in rows[0]:
        answered = sum(row["state"] != "no-answer" for row in rows)
        click.echo(f"{answered}/{len(rows)} cụm loa trả lời / clusters answered")

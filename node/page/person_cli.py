"""`loa node person …`: the first people of a station are entered at the box itself, also while it runs.

Bound: a shell's options and words. The acts are `person_desk`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.stick.reach import folder_or_station
from node.stick.usb_cli import FOLDER, Machine, Plain

if TYPE_CHECKING:
    from ledger.log import DiskStore

folder_option = click.option(
    "--dir", "folder", type=FOLDER, required=True, help="The folder made by `loa node init`."
)


def add_person(group: click.Group, plain_errors: Plain, machine: Machine) -> None:
    """Hangs the group `person` into `group`."""

    def asked(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
        from node.stick.handover import Beside

        with folder_or_station(folder, machine.entropy, machine.sleep) as found:
            return found.people(request) if isinstance(found, Beside) else _alone(found, machine, request)

    def with_code(folder: Path, request: dict[str, Any]) -> None:
        from node.page.people import CODE_LIFE_S, code_hash, new_code, tidy_name

        code = new_code(machine.entropy)
        asked(folder, request | {"code": code_hash(code).hex()})
        days = CODE_LIFE_S // 86_400
        click.echo(f"CODE {code}   ({tidy_name(str(request['name']))})")
        click.echo(f"Đưa tận tay. Trên trang của xã chọn “Lần đầu”, nhập mã, tự đặt mã PIN ({days} ngày).")
        click.echo(f"Hand it over. On the page choose “First time”, type it, choose a PIN ({days} days).")

    @group.group()
    def person() -> None:
        """The people who may use the commune's page. Works beside a running station too."""

    @person.command("add")
    @folder_option
    @click.option("--role", type=click.Choice(["officer", "approver"]), required=True)
    @click.argument("name")
    def add(folder: Path, role: str, name: str) -> None:
        """Enters NAME and prints a one-time code, with which they choose their PIN."""
        with plain_errors():
            with_code(folder, {"act": "add", "name": name, "role": role})

    @person.command("code")
    @folder_option
    @click.argument("name")
    def code(folder: Path, name: str) -> None:
        """Prints a new one-time code for NAME, who forgot the PIN: a new key comes with it."""
        with plain_errors():
            with_code(folder, {"act": "code", "name": name})

    @person.command("off")
    @folder_option
    @click.argument("name")
    def off(folder: Path, name: str) -> None:
        """Keeps NAME from signing in, at once. The province revokes the key."""
        with plain_errors():
            asked(folder, {"act": "off", "name": name})
            click.echo(f"OFF {name}")

    @person.command("on")
    @folder_option
    @click.argument("name")
    def on(folder: Path, name: str) -> None:
        """Lets NAME sign in again."""
        with plain_errors():
            asked(folder, {"act": "on", "name": name})
            click.echo(f"ON {name}")

    @person.command("list")
    @folder_option
    @click.option("--json", "as_json", is_flag=True, help="One JSON object.")
    def listed(folder: Path, as_json: bool) -> None:
        """Says who is entered, and the six words of each key that the province has to grant."""
        with plain_errors():
            people = asked(folder, {"act": "list"})["people"]
            if as_json:
                click.echo(json.dumps({"people": people}, ensure_ascii=False))
                return
            for one in people:
                click.echo(_line(one))
            if not people:
                click.echo("Chưa có ai. · Nobody yet: loa node person add")


def _line(one: dict[str, Any]) -> str:
    if not one["enabled"]:
        state = "off"
    elif not one["pin"]:
        state = "no PIN yet"
    else:
        state = "has rights" if one["rights"] else f"waits for the province; six words: {one['words']}"
    return f"{one['name']} ({one['role']}): {state}"


def _alone(store: DiskStore, machine: Machine, request: dict[str, Any]) -> dict[str, Any]:
    """On a stopped station's store: a station that is looked at and never ticks."""
    import random

    from node.config import load_config
    from node.link.courier import ThreadCourier
    from node.link.transport import HttpTransport
    from node.page.office import Office
    from node.page.person_desk import manage
    from node.shell import OneThread
    from node.sound.player import NullPlayer
    from node.station import Station

    config = load_config(store)
    transport = HttpTransport(config.hub_url, mono=lambda: 0.0)
    courier = ThreadCourier(transport, OneThread(), lambda: None)
    rng = random.Random(int.from_bytes(machine.entropy(8), "big"))  # noqa: S311 — jitter, not secrets
    station = Station(
        config, store, machine.clock(), courier, NullPlayer(), entropy=machine.entropy, rng=rng
    )  # fmt: skip
    try:
        return manage(Office(station), request)
    finally:
        transport.close()

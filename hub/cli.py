"""`loa hub …`: found a hub, serve it, look after it. The outermost shell: the only room that knows the
machine.

Clock, randomness, files, sockets and the environment (`LOA_TEMPO`, `LOA_PASSWORD`) enter here and nowhere
else. One process owns a hub's directory; the commands that change it refuse while it serves, `status` and
`verify` only look.
"""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from hub.accounts import ROLES, Officer
from hub.address_cli import add_address
from hub.alerts_cli import add_alerts
from hub.cap_cli import add_cap
from hub.clock import HubClock, newest_signed, said
from hub.config import (
    DEMO_ACCOUNTS,
    KDF_CHEAP,
    KDF_STRONG,
    LEDGER_DB,
    ROOT_KEY_NAME,
    load_config,
)
from hub.endings_cli import add_commands
from hub.hub import Hub, found, seed_demo_accounts
from hub.looks_cli import add_looks
from hub.merge_cli import add_merge
from hub.policy_cli import add_policy
from hub.report_cli import add_report
from hub.sheet_cli import add_sheet
from hub.unit_cli import add_unit
from hub.usb_cli import add_usb
from ledger.facts import is_unit
from ledger.kernel import synchronised
from ledger.log import (
    DiskStore,
    Ledger,
    LoaError,
    NotAllowed,
)
from ledger.service import Manager
from ledger.tempo import TempoReader


class Shell(click.Group):
    """Prints a refusal in two lines and ends with its exit code; a traceback would be a bug."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LoaError as error:
            click.echo(error.explain(), err=True)
            ctx.exit(error.exit_code)


@click.group(cls=Shell)
def hub() -> None:
    """The provincial hub: where people decide and stations report."""


directory = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The hub's directory.",
)
as_account = click.option(
    "--as", "account", default="admin", show_default=True, help="The account that acts."
)
with_password = click.option(
    "--password",
    envvar="LOA_PASSWORD",
    prompt=True,
    hide_input=True,
    help="Else LOA_PASSWORD, else asked for.",
)
as_json = click.option("--json", "plain_json", is_flag=True, help="One JSON value instead of a table.")


@hub.command()
@directory
@click.option("--province", default="vn.yb", show_default=True, help="The unit this hub answers for.")
@click.option("--name", default="Yên Bái", show_default=True, help="What people call it.")
@click.option("--admin", default="admin", show_default=True, help="The first administrator's account.")
@click.option("--password", envvar="LOA_PASSWORD", default=None, help="The administrator's. Else asked for.")
@click.option(
    "--demo-accounts", is_flag=True, help="Accounts with known passwords. Never for a real province."
)
@click.option(
    "--cheap-kdf", is_flag=True, help="Passwords protected poorly and quickly. For demonstrations only."
)
def init(
    folder: Path,
    province: str,
    name: str,
    admin: str,
    password: str | None,
    demo_accounts: bool,
    cheap_kdf: bool,
) -> None:
    """Makes a hub in an empty directory."""
    if not is_unit(province):
        raise NotAllowed("territory-unknown", f"{province!r} is no unit", hint="dot-separated, such as vn.yb")
    if demo_accounts:
        admin, _, _, password = DEMO_ACCOUNTS[0]
    if password is None:
        password = click.prompt("Password of the administrator", hide_input=True, confirmation_prompt=True)
    now = _clock()
    with _owned(folder) as store:
        config = found(
            store,
            province=province,
            name=name,
            now=now(),
            entropy=os.urandom,
            admin=admin,
            password=password,
            kdf=KDF_CHEAP if cheap_kdf else KDF_STRONG,
        )
        if demo_accounts:
            seed_demo_accounts(Hub(store, config=config, clock_now=now, entropy=os.urandom), now=now())
    click.echo(f"Hub of {name} ({province}) founded in {folder}.")
    click.echo(f"{folder / ROOT_KEY_NAME} is the root of all authority: move it to a stick in a safe, now.")
    if demo_accounts:
        for account, _, role, known in DEMO_ACCOUNTS:
            click.echo(f"  {role:9} {account} / {known}")
        click.echo("These passwords are public. This hub is for demonstrations.")


@hub.command()
@directory
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Behind TLS: the address the proxy calls."
)
@click.option("--port", default=8080, show_default=True, help="0 takes any free one and says which.")
@click.option("--secure", is_flag=True, help="The pages are reached by HTTPS: cookies say so.")
@click.option(
    "--doorbell-port", type=int, help="Where stations hold a line to be rung for news; 0 takes any free port."
)
@click.option(
    "--clock-checked", is_flag=True,
    help="A person has checked this machine's clock: it counts, although it contradicts what was signed.",
)  # fmt: skip
def serve(
    folder: Path, host: str, port: int, secure: bool, doorbell_port: int | None, clock_checked: bool
) -> None:
    """Runs the hub: pages for people, /v1 for stations. Prints `LISTENING http://…` when it is ready."""
    # The web server is wanted here only: other commands start without it.
    from hub.serving import run

    with _owned(folder) as store:
        clock = _hub_clock()
        house = Hub(
            store, config=load_config(store), clock_now=clock, entropy=os.urandom, mono=time.monotonic
        )
        clock.follow(newest_signed(house.ledger, house.key.key_id))
        if clock_checked and clock.accept(house.ledger, house.key):
            click.echo(f"CLOCK accepted by a person: {said(clock())}; the log says so.", err=True)
        clock.check()
        for doubt in clock.doubts():
            click.echo(f"WARNING {doubt}", err=True)
        run(
            house, host=host, port=port, secure=secure, ticks=time.monotonic, doorbell_port=doorbell_port,
            watch=clock.check, doubts=clock.doubts,
            manager=Manager.of(os.environ, os.getpid(), time.monotonic),
        )  # fmt: skip


@hub.group()
def stations() -> None:
    """The register of stations."""


@stations.command("import")
@directory
@as_account
@with_password
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_stations(folder: Path, account: str, password: str, table: Path) -> None:
    """Registers the stations of a CSV file with the columns unit, name, kind (it or fm)."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            listed = [(row["unit"], row["name"], row["kind"]) for row in csv.DictReader(lines)]
    except (KeyError, UnicodeDecodeError, csv.Error) as error:
        raise NotAllowed(
            "table-form",
            f"{table} is no such table: {error}",
            hint="UTF-8 CSV with the columns unit, name, kind",
        ) from error
    with _desk(folder, account, password) as (house, officer):
        changed = house.commands.register_stations(officer, listed, now=house.now())
        row = house.queries.counts()
    click.echo(f"{changed} stations registered or changed, {row['stations']} in all.")


@hub.command()
@directory
@as_account
@with_password
@click.argument("units", nargs=-1)
@click.option("--all-it", is_flag=True, help="One for every station with a return path.")
@as_json
def token(
    folder: Path, account: str, password: str, units: tuple[str, ...], all_it: bool, plain_json: bool
) -> None:
    """Makes one-time enrolment tokens. They are printed once and kept nowhere."""
    with _desk(folder, account, password) as (house, officer):
        wanted = [row.unit for row in house.queries.stations(kind="it")] if all_it else list(units)
        made = house.commands.new_station_tokens(officer, wanted, now=house.now())
    if plain_json:
        click.echo(
            json.dumps([{"unit": one.unit, "token": one.text, "expires_at": one.expires_at} for one in made])
        )
        return
    for one in made:
        click.echo(f"{one.unit}  {one.text}")


@hub.group()
def account() -> None:
    """The people at the desk."""


@account.command("add")
@directory
@as_account
@with_password
@click.argument("new")
@click.option("--name", required=True, help="What others call the person.")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--territory", default=None, help="The unit they answer for; the whole province when left out.")
@click.option(
    "--new-password", envvar="LOA_NEW_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True
)
def add_account(
    folder: Path,
    account: str,
    password: str,
    new: str,
    name: str,
    role: str,
    territory: str | None,
    new_password: str,
) -> None:
    """Adds a person: an account, a key, and the signed grant that says what the key may do."""
    with _desk(folder, account, password) as (house, officer):
        row = house.commands.create_account(
            officer,
            account=new,
            name=name,
            role=role,
            territory=territory or house.config.province,
            password=new_password,
            now=house.now(),
        )
    click.echo(f"{row.account} ({row.name}) is {row.role} of {row.territory}; key {row.key_id}.")


@account.command("disable")
@directory
@as_account
@with_password
@click.argument("who")
def disable_account(folder: Path, account: str, password: str, who: str) -> None:
    """Nobody logs in with this account any more. What it signed stays signed."""
    with _desk(folder, account, password) as (house, officer):
        house.commands.disable_account(officer, who, now=house.now())
    click.echo(f"{who} is disabled.")


@account.command("list")
@directory
@as_json
def list_accounts(folder: Path, plain_json: bool) -> None:
    """Who has an account."""
    with _opened(folder) as house:
        listed = house.accounts.rows()
    if plain_json:
        click.echo(json.dumps([vars(row) for row in listed], ensure_ascii=False))
        return
    for row in listed:
        state = "" if row.enabled else "  (disabled)"
        click.echo(f"{row.account:16} {row.role:9} {row.territory:14} {row.key_id}  {row.name}{state}")


@hub.command()
@directory
@as_account
@with_password
@click.argument("territory")
@click.argument("begins", metavar="FROM")
@click.argument("ends", metavar="UNTIL")
def quiet(folder: Path, account: str, password: str, territory: str, begins: str, ends: str) -> None:
    """Sets the quiet hours of a unit, such as: quiet vn.yb 21:30 05:00."""
    with _desk(folder, account, password) as (house, officer):
        house.commands.set_quiet_hours(officer, territory, _minute(begins), _minute(ends), now=house.now())
    click.echo(f"{territory} is quiet from {begins} to {ends}.")


@hub.command()
@directory
def rebuild(folder: Path) -> None:
    """Drops the views and builds them again from the ledger."""
    with _opened(folder) as house:
        read = house.rebuild()
    click.echo(f"{read} segments read; the views are new.")


# -- the machine ---------------------------------------------------------------------------------------------


def _clock() -> Callable[[], int]:
    """UTC s: the machine's clock, or the tempo of a demonstration when LOA_TEMPO names its file."""
    path = os.environ.get("LOA_TEMPO")
    if not path:
        return lambda: int(time.time())
    tempo = TempoReader(Path(path).read_bytes, time.monotonic)
    return lambda: int(tempo.utc())


def _hub_clock() -> HubClock:
    """The hub's clock: never behind what it signed."""
    return HubClock(_clock(), None if os.environ.get("LOA_TEMPO") else synchronised())


@contextmanager
def _owned(folder: Path) -> Iterator[DiskStore]:
    os.umask(0o077)  # hashes, sealed keys and who reported when are nobody else's on this machine
    store = DiskStore(folder)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _opened(folder: Path) -> Iterator[Hub]:
    with _owned(folder) as store:
        clock = _hub_clock()
        house = Hub(store, config=load_config(store), clock_now=clock, entropy=os.urandom)
        clock.follow(newest_signed(house.ledger, house.key.key_id))
        clock.check()
        yield house
        house.close()


@contextmanager
def _desk(folder: Path, account: str, password: str) -> Iterator[tuple[Hub, Officer]]:
    with _opened(folder) as house:
        officer = house.accounts.login(account, password, now=house.now())
        if officer is None:
            raise NotAllowed("wrong-password", "account or password is not right", hint="type them again")
        yield house, officer


@contextmanager
def _looked_at(folder: Path) -> Iterator[tuple[DiskStore, Ledger]]:
    store = DiskStore(folder, readonly=True)
    try:
        yield store, Ledger(store.open_db(LEDGER_DB), entropy=os.urandom, now=_clock())
    finally:
        store.close()


def _minute(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isdigit() and minutes.isdigit() and int(hours) < 24 and int(minutes) < 60):
        raise NotAllowed("minute-range", f"{text!r} is no time of day", hint="such as 21:30")
    return int(hours) * 60 + int(minutes)


add_looks(hub, _looked_at, _hub_clock, directory, as_json)
add_commands(hub, _opened, _desk, (directory, as_account, with_password))
add_merge(hub, _desk, (directory, as_account, with_password))
add_policy(hub, _desk, (directory, as_account, with_password))
add_address(hub, _desk, (directory, as_account, with_password))
add_usb(hub, _opened, directory, as_json)
add_sheet(hub, _opened, directory, as_json)
add_report(hub, _opened, directory)
add_alerts(hub, _opened, directory)
add_unit(hub, _looked_at, directory)
add_cap(hub, _opened, directory, as_json)

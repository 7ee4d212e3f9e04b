"""The auditor: reads a ledger file and says what it holds and whether it is true. Needs no hub and no node.

`loa ledger show`, `verify`, `prove`, `check`. The ledger is opened read-only, so this may run beside the hub.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ledger.facts import Malformed, read
from ledger.log import DiskStore, Ledger, LoaError, Proof, Stored, VerifyKey, check, prove

VIETNAM = dt.timezone(dt.timedelta(hours=7), "+07")


@contextmanager
def plain_errors() -> Iterator[None]:
    """A refusal is two lines and a stable exit code, never a traceback."""
    try:
        yield
    except LoaError as error:
        click.echo(error.explain(), err=True)
        raise SystemExit(error.exit_code) from None


def open_ledger(folder: Path) -> Ledger:
    store = DiskStore(folder, readonly=True)
    return Ledger(store.open_db("ledger.db"), entropy=no_entropy, now=no_now)


def no_entropy(count: int) -> bytes:
    raise AssertionError("an auditor signs nothing")


def no_now() -> int:
    raise AssertionError("an auditor writes nothing")


def when(ts: int) -> str:
    return dt.datetime.fromtimestamp(ts, VIETNAM).strftime("%d/%m/%Y %H:%M:%S")


def lines_of(stored: Stored) -> Iterator[dict[str, object]]:
    head = stored.segment.head
    for signed in read(stored):
        fact = signed.fact
        kind = f"malformed ({fact.reason})" if isinstance(fact, Malformed) else type(fact).__name__
        body = {field.name: shown(getattr(fact, field.name)) for field in dataclasses.fields(fact)}
        yield {
            "position": stored.position,
            "key": head.key_id.hex(),
            "log": head.log_id.hex(),
            "seq": signed.seq,
            "kind": kind,
            "fields": body,
        }


def shown(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value


@click.group()
def ledger() -> None:
    """Read and verify a ledger from its files alone."""


folder_option = click.option(
    "--dir",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="the folder that holds ledger.db",
)


@ledger.command()
@folder_option
@click.option("--since", default=0, help="show what arrived after this position")
@click.option("--limit", default=50, help="segments at most")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line")
def show(folder: Path, since: int, limit: int, as_json: bool) -> None:
    """Print the events in the order in which they arrived here."""
    with plain_errors():
        for stored in open_ledger(folder).since(since, limit=limit):
            for line in lines_of(stored):
                if as_json:
                    click.echo(json.dumps(line, ensure_ascii=False))
                    continue
                fields = line["fields"]
                assert isinstance(fields, dict)
                ts = fields.pop("ts", None)
                stamp = when(ts) if isinstance(ts, int) else "-"
                rest = " ".join(f"{k}={v}" for k, v in fields.items())
                click.echo(
                    f"{line['position']:>6} {str(line['key'])[:8]}/{str(line['log'])[:6]}#{line['seq']:<4} "
                    f"{stamp} {line['kind']} {rest}"
                )


@ledger.command()
@folder_option
@click.option("--json", "as_json", is_flag=True)
def verify(folder: Path, as_json: bool) -> None:
    """Re-open every segment, re-walk every chain. Exit 0 only when all of it holds."""
    with plain_errors():
        audit = open_ledger(folder).verify()
        if as_json:
            found = {"verified": audit.verified, "failed": audit.failed, "problems": list(audit.problems)}
            click.echo(json.dumps(found))
        else:
            click.echo(f"{audit.verified} segments verified, {audit.failed} failed")
            for problem in audit.problems:
                click.echo(f"  {problem}")
        raise SystemExit(0 if audit.failed == 0 and not audit.problems else 12)


@ledger.command("prove")
@folder_option
@click.argument("position", type=int)
@click.argument("index", type=int, default=0)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def prove_command(folder: Path, position: int, index: int, out: Path) -> None:
    """Write the proof of one event (the INDEXth of the segment at POSITION) to a file."""
    with plain_errors():
        for stored in open_ledger(folder).since(position - 1, limit=1):
            if stored.position != position:
                break
            if not 0 <= index < len(stored.segment.events):
                raise click.BadParameter(f"that segment has {len(stored.segment.events)} events")
            data = prove(stored.segment, index).encode()
            out.write_bytes(data)
            click.echo(f"{out}: {len(data)} bytes")
            return
        raise click.BadParameter(f"nothing stands at position {position}")


def raw_key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise click.BadParameter("a public key is 64 hex digits", param_hint="--key") from None


@ledger.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, help="the author's public key, 64 hex digits")
def check_command(file: Path, key: str) -> None:
    """Check a proof written by `prove` against a public key; needs no ledger."""
    with plain_errors():
        author = VerifyKey(raw_key(key))
        proof = Proof.decode(file.read_bytes())
        check(proof, lambda key_id: author if key_id == author.key_id else None)
        click.echo(
            f"true: key {author.key_id.hex()} signed event {proof.head.first_seq + proof.index} "
            f"of log {proof.head.log_id.hex()}"
        )


if __name__ == "__main__":
    ledger(prog_name="loa ledger")

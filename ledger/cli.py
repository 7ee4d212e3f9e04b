"""The auditor: reads a ledger file and says what it holds and whether it is true. Needs no hub and no node.

`show` and `verify --dir` read a ledger, `prove` takes one event out of it. `verify FILE`, `check` and `page`
are for whoever has no ledger at all. A ledger is opened read-only, so this may run beside the hub.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ledger.evidence import EVIDENCE_BYTES_MAX, Finding, examine, gather, refused, told
from ledger.facts import Malformed, read
from ledger.keyring_cli import COMMANDS
from ledger.log import DiskStore, Ledger, LoaError, Proof, Stored, VerifyKey, check, prove
from ledger.roots_cli import root
from ledger.verifier import page

REFUSED_EXIT = 12  # what was to be verified is not true
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


def raw_key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise click.BadParameter("a public key is 64 hex digits") from None


root_option = click.option(
    "--root", "roots", multiple=True, metavar="HEX", help="a root's public key, 64 hex digits; repeatable"
)


@ledger.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dir", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="verify a whole ledger: the folder that holds ledger.db")  # fmt: skip
@root_option
@click.option("--lang", type=click.Choice(["en", "vi"]), default="en", help="language of the words")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def verify(file: Path | None, folder: Path | None, roots: tuple[str, ...], lang: str, as_json: bool) -> None:
    """Verify an evidence FILE against root keys, or with --dir every segment and chain of a ledger.

    Exit 0 only when all of it holds, 12 when it does not.
    """
    if (file is None) == (folder is None):
        raise click.UsageError("name an evidence file, or a ledger with --dir")
    if file is not None:
        verify_file(file, roots, lang, as_json)
        return
    assert folder is not None
    with plain_errors():
        audit = open_ledger(folder).verify()
        if as_json:
            found = {"verified": audit.verified, "failed": audit.failed, "problems": list(audit.problems)}
            click.echo(json.dumps(found))
        else:
            click.echo(f"{audit.verified} segments verified, {audit.failed} failed")
            for problem in audit.problems:
                click.echo(f"  {problem}")
        raise SystemExit(0 if audit.failed == 0 and not audit.problems else REFUSED_EXIT)


def verify_file(file: Path, roots: tuple[str, ...], lang: str, as_json: bool) -> None:
    """One evidence file, read as bytes from anywhere."""
    if not roots:
        raise click.UsageError("say whom you trust: --root HEX (the hub's operator publishes it)")
    with plain_errors():
        trusted = [VerifyKey(raw_key(root)) for root in roots]
    with file.open("rb") as source:
        data = source.read(EVIDENCE_BYTES_MAX + 1)
    try:
        finding = examine(data, trusted)
    except LoaError as error:
        if as_json:
            click.echo(json.dumps({"true": False, "code": error.code, "what": error.what}))
        else:
            click.echo("\n".join(refused(error, lang)), err=True)
        raise SystemExit(REFUSED_EXIT) from None
    if as_json:
        click.echo(json.dumps(as_object(finding), ensure_ascii=False))
    else:
        click.echo("\n".join(told(finding, lang)))


def as_object(finding: Finding) -> dict[str, object]:
    """What a program wants to know of a finding."""
    known = finding.known
    return {
        "true": True,
        "key": finding.author.key_id.hex(),
        "log": finding.log_id.hex(),
        "seq": finding.seq,
        "event": finding.event.hex(),
        "kind": type(finding.fact).__name__,
        "right": None if finding.right is None else int(finding.right),
        "territory": finding.territory,
        "root": finding.root.hex(),
        "chain": [grant.subject.key_id.hex() for grant in finding.chain],
        "existed": finding.existed_s,
        "endings": [type(signed.fact).__name__ for signed in finding.endings],
        "known": None if known is None else {"hub": known.hub.hex(), "log": known.log_id.hex(),
                                             "seq": known.seq, "at": known.at_s},
        "not_proven": [question.value for question in finding.questions],
    }  # fmt: skip


@ledger.command("prove")
@folder_option
@click.argument("position", type=int)
@click.argument("index", type=int, default=0)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@root_option
@click.option("--plain", is_flag=True, help="only the proof of the signature, for `check`")
def prove_command(
    folder: Path, position: int, index: int, out: Path, roots: tuple[str, ...], plain: bool
) -> None:
    """Write evidence of one event (the INDEXth, from 0, of the segment at POSITION) to a file.

    It holds the proof, the grants that lead from a root to the signer, what ended any of these keys, and what
    a hub says of its arrival.
    """
    with plain_errors():
        kept = open_ledger(folder)
        stored = next(iter(kept.since(position - 1, limit=1)), None)
        if stored is None or stored.position != position:
            raise click.BadParameter(f"nothing stands at position {position}")
        if not 0 <= index < len(stored.segment.events):
            raise click.BadParameter(f"that segment has {len(stored.segment.events)} events")
        if plain:
            data = prove(stored.segment, index).encode()
            out.write_bytes(data)
            click.echo(f"{out}: {len(data)} bytes")
            return
        data, finding = gather(kept, stored, index, [VerifyKey(raw_key(root)) for root in roots])
        out.write_bytes(data)
        seen = "no" if finding.existed_s is None else when(finding.existed_s)
        click.echo(f"{out}: {len(data)} bytes, {len(finding.chain)} grants to the signer, witness: {seen}")
        root = kept.key_of(finding.root)
        if root is not None:
            click.echo(f"  true under the root {root.raw.hex()}")


@ledger.command("page")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def page_command(out: Path) -> None:
    """Write the verifier page: one HTML file that checks evidence in any browser, without a network."""
    text = page()
    out.write_text(text, "utf-8")
    click.echo(f"{out}: {len(text.encode())} bytes")


@ledger.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, help="the author's public key, 64 hex digits")
def check_command(file: Path, key: str) -> None:
    """Check a proof written by `prove --plain` against a public key; needs no ledger."""
    with plain_errors():
        author = VerifyKey(raw_key(key))
        proof = Proof.decode(file.read_bytes())
        check(proof, lambda key_id: author if key_id == author.key_id else None)
        click.echo(
            f"true: key {author.key_id.hex()} signed event {proof.head.first_seq + proof.index} "
            f"of log {proof.head.log_id.hex()}"
        )


for bench in (*COMMANDS, root):
    ledger.add_command(bench)


if __name__ == "__main__":
    ledger(prog_name="loa ledger")

"""`loa ledger root`: a paper that goes round among the roots, is signed by several, and is then published.

The paper is a file with the statement of the new set and the signatures so far. It holds no secret and may
travel by any way; each root signs on its own machine, beside its own key.

Bound: an outermost shell: files and the clock enter here. What makes a set count is `ledger.facts.roots`.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from ledger.facts import RootsSet, RootStatement, pack_pairs, sign_roots, stays
from ledger.keyring_cli import (
    FILE,
    FOLDER,
    NEW_FILE,
    Bench,
    checked_unit,
    id_of,
    key_option,
    load_key,
    open_ledger,
    out_option,
    public_key,
    write_delivery,
    write_new,
)
from ledger.log import LoaError, NotAllowed, ProtocolError, key_id, pack, unpack

CEREMONY_BYTES_MAX = 1 << 16  # a statement with its signatures; an event holds 8 KiB of it


@click.group(cls=Bench)
def root() -> None:
    """The ceremony of a new root set: a paper that goes round, is signed by several, and then published."""


@root.command("new")
@click.option("--version", type=click.IntRange(1), required=True, help="One more than the set that stands.")
@click.option("--threshold", type=click.IntRange(1, 16), required=True, help="How many sign the next set.")
@click.option("--keys", "names", multiple=True, required=True, help="A root of the new set; once for each.")
@click.option(
    "--leaving", multiple=True, help="A root of the set before that is not in this one; once for each."
)
@click.option("--dir", "folder", type=FOLDER, help="The hub's folder: what leaving roots signed stays.")
@click.option("--out", type=NEW_FILE, required=True, help="The paper to be signed.")
def root_new(
    version: int,
    threshold: int,
    names: tuple[str, ...],
    leaving: tuple[str, ...],
    folder: Path | None,
    out: Path,
) -> None:
    """Writes a root set that nobody has signed yet."""
    if leaving and folder is None:
        raise NotAllowed(
            "leaving-unknown",
            "what a leaving root signed is looked up in a ledger",
            hint="name it with --dir",
        )
    retired = []
    if folder is not None:
        ledger = open_ledger(folder)
        leavers = {id_of(one) for one in leaving}
        retired = [(one, pack_pairs(stays(ledger, one, ledger.position()))) for one in sorted(leavers)]
    raws = tuple(sorted(public_key(name).raw for name in names))
    said = RootStatement(version, threshold, raws, tuple(retired)).encode()
    RootStatement.decode(said)
    write_new(out, pack([said, b""]))
    show_set(said, b"")


@root.command("sign")
@click.argument("paper", type=FILE)
@key_option
def root_sign(paper: Path, key_file: Path) -> None:
    """Adds one root's signature to the PAPER."""
    said, signatures = read_paper(paper)
    key = load_key(key_file)
    if key.key_id in {signatures[at : at + 8] for at in range(0, len(signatures), 72)}:
        raise NotAllowed("roots-signature-twice", "this key has signed already", where=key.key_id.hex(),
                         hint="each key counts once; another root has to sign")  # fmt: skip
    signatures += sign_roots(key, said)
    fresh = paper.with_name(paper.name + ".new")
    write_new(fresh, pack([said, signatures]))
    fresh.replace(paper)
    show_set(said, signatures)


@root.command("show")
@click.argument("paper", type=FILE)
def root_show(paper: Path) -> None:
    """Says what the PAPER says, and who has signed it."""
    show_set(*read_paper(paper))


@root.command("seal")
@click.argument("paper", type=FILE)
@key_option
@click.option(
    "--in", "territory", default="vn", show_default=True, help="The stations that are to hear of it."
)
@out_option
def root_seal(paper: Path, key_file: Path, territory: str, out: Path) -> None:
    """Seals the signed PAPER into a segment. The key only carries it: one that stations know already."""
    said, signatures = read_paper(paper)
    fact = RootsSet(int(time.time()), checked_unit(territory), said, signatures)
    write_delivery(out, load_key(key_file), fact)


def read_paper(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        data = file.read(CEREMONY_BYTES_MAX + 1)
    try:
        rows = unpack(data, bytes_max=CEREMONY_BYTES_MAX)
    except LoaError as error:
        raise ProtocolError("paper-form", f"{path} is no paper of `root new`: {error.what}") from error
    said, signatures = rows if isinstance(rows, tuple) and len(rows) == 2 else (None, None)
    if not (isinstance(said, bytes) and isinstance(signatures, bytes) and len(signatures) % 72 == 0):
        raise ProtocolError("paper-form", f"{path} is no paper of `root new`")
    RootStatement.decode(said)
    return said, signatures


def show_set(said: bytes, signatures: bytes) -> None:
    statement = RootStatement.decode(said)
    signers = [signatures[at : at + 8].hex() for at in range(0, len(signatures), 72)]
    click.echo(
        f"root set {statement.version}: {statement.threshold} of {len(statement.keys)} must sign the next"
    )
    for raw in statement.keys:
        signed = "signed" if key_id(raw).hex() in signers else "-"
        click.echo(f"  {key_id(raw).hex()}  {raw.hex()}  {signed}")
    for leaving, kept in statement.retired:
        signed = "signed" if leaving.hex() in signers else "-"
        click.echo(f"  {leaving.hex()}  leaves; {len(kept) // 16} logs of it stay  {signed}")
    others = (
        set(signers) - {key_id(raw).hex() for raw in statement.keys} - {k.hex() for k, _ in statement.retired}
    )
    for other in sorted(others):
        click.echo(f"  {other}  signed, and is in neither set as far as this paper tells")

"""The administrator's bench: keys, grants, revocations and rotations, made from files.

`loa ledger keys|grant|revoke|rotate`; root sets are `roots_cli`. Nothing here writes into a ledger: each
command signs and writes a file of segments, which `loa hub admit` takes in through the same door as
everybody's segments. So a root key can be used on a machine that was never on a network. `--dir` names a
hub's folder, or a copy of it, which is only read; it may be in use.

Bound: an outermost shell: files, the clock and the system's randomness enter here.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from ledger.facts import (
    REVOCATION_REASON_CHARS_MAX,
    Cut,
    Granted,
    Revoked,
    Right,
    Rotated,
    cut_at,
    hubs_of,
    is_unit,
    pack_pairs,
    possession_of,
    reach_of,
    stays,
)
from ledger.facts.fields import Kind
from ledger.log import (
    DiskStore,
    KeyRefused,
    Ledger,
    LoaError,
    NotAllowed,
    SigningKey,
    VerifyKey,
    deliver,
)

DAY_S = 86_400
NO_CUT = Cut(bytes(8), bytes(8), 0)

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

key_option = click.option("--key", "key_file", type=FILE, required=True, help="The signer's key file.")
out_option = click.option("--out", type=NEW_FILE, required=True, help="The file of signed segments to write.")
unit_option = click.option(
    "--in", "territory", default=None, help="The unit; found in the ledger if left out."
)
at_option = click.option(
    "--at", "until", type=int, help="The last position still honest; the end if left out."
)
folder_option = click.option(
    "--dir", "folder", type=FOLDER, required=True, help="The hub's folder, or a copy."
)


class Plain(click.Command):
    """Prints a refusal in two lines and ends with its exit code."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except LoaError as error:
            click.echo(error.explain(), err=True)
            raise SystemExit(error.exit_code) from None


class Bench(click.Group):
    command_class = Plain


def open_ledger(folder: Path) -> Ledger:
    """A ledger that is only read."""
    return Ledger(DiskStore(folder, readonly=True).open_db("ledger.db"), entropy=os.urandom, now=lambda: 0)


def load_key(path: Path) -> SigningKey:
    """A key file: 64 hex digits. NotAllowed("key-file")."""
    try:
        return SigningKey.from_seed(bytes.fromhex(path.read_text("ascii").strip()))
    except (ValueError, KeyRefused) as error:
        raise NotAllowed(
            "key-file", f"{path} does not hold a private key", hint="64 hex digits, as `keys new` writes them"
        ) from error


def public_key(text: str) -> VerifyKey:
    """64 hex digits, or a file that holds a private key."""
    path = Path(text)
    if path.is_file():
        return load_key(path).verify_key
    try:
        key = VerifyKey(bytes.fromhex(text))
    except ValueError as error:
        raise NotAllowed(
            "key-form", f"{text!r} is no public key", hint="64 hex digits, or a key file"
        ) from error
    key.prove_order()
    return key


def id_of(text: str) -> bytes:
    """16 hex digits, a public key, or a key file."""
    if len(text) == 16:
        try:
            return bytes.fromhex(text)
        except ValueError as error:
            raise NotAllowed("key-id-form", f"{text!r} is no key id", hint="16 hex digits") from error
    return public_key(text).key_id


def write_new(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Writes a file that was not there, on the medium when it returns. NotAllowed("file-exists")."""
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise NotAllowed("file-exists", f"{path} is there already", hint="choose another name") from error
    with os.fdopen(opened, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_delivery(out: Path, key: SigningKey, fact: Kind) -> None:
    data = deliver(key, fact.encode(), entropy=os.urandom, now=lambda: int(time.time()))
    write_new(out, data)
    click.echo(f"{out}: {type(fact).__name__} signed by {key.key_id.hex()}, {len(data)} bytes")
    click.echo(f"  take it in at the hub: loa hub admit --dir … {out}")


def unit_of(ledger: Ledger, subject: bytes, territory: str | None) -> str:
    found = territory or reach_of(ledger, subject)
    if found is None:
        raise NotAllowed(
            "revocation-unknown-key", "nothing was ever granted to this key", where=subject.hex(),
            hint="`loa ledger show` lists the grants; name the unit with --in to end it beforehand",
        )  # fmt: skip
    return checked_unit(found)


def checked_unit(text: str) -> str:
    if not is_unit(text):
        raise NotAllowed("territory-unknown", f"{text!r} is no unit", hint="dot-separated, such as vn.yb")
    return text


def cut_of(ledger: Ledger, until: int, hub: str | None) -> Cut:
    hubs = {id_of(hub)} if hub else hubs_of(ledger)
    if len(hubs) > 1:
        raise NotAllowed(
            "hub-which", "this ledger holds the journals of several hubs", hint="name one by --hub"
        )
    return cut_at(ledger, hubs.pop(), until) if hubs else NO_CUT


def end_of(ledger: Ledger, until: int | None) -> int:
    end = ledger.position()
    if until is not None and not 0 <= until <= end:
        raise NotAllowed("position-unknown", f"the ledger ends at {end}", hint="`loa ledger show` lists them")
    return end if until is None else until


# -- keys ----------------------------------------------------------------------------------------------------


@click.group(cls=Bench)
def keys() -> None:
    """Private keys in files, for roots and for administrators' own machines."""


@keys.command("new")
@click.argument("file", type=NEW_FILE)
def keys_new(file: Path) -> None:
    """Makes a private key in FILE (mode 600) and shows its public half."""
    key = SigningKey.from_seed(os.urandom(32))
    write_new(file, key.seed.hex().encode() + b"\n", 0o600)
    show_key(key.verify_key)
    click.echo(f"{file} is the key itself: whoever reads it can sign. Keep it on a stick in a safe.")


@keys.command("show")
@click.argument("key")
def keys_show(key: str) -> None:
    """Shows the public key and key id of a key file, or the id of a public KEY (64 hex digits)."""
    show_key(public_key(key))


def show_key(key: VerifyKey) -> None:
    click.echo(f"public  {key.raw.hex()}\nkey id  {key.key_id.hex()}")


# -- grants and their end ------------------------------------------------------------------------------------


@click.command(cls=Plain)
@key_option
@click.option(
    "--to", "subject", required=True, help="The public key that receives: 64 hex digits or a key file."
)
@click.option(
    "--rights", required=True,
    help="Comma-separated, of: " + ", ".join(name.lower() for name in Right.__members__) + ".",
)  # fmt: skip
@click.option("--in", "territory", required=True, help="The unit it holds for, and everything below it.")
@click.option(
    "--days", type=click.IntRange(1, 36_500), default=1_826, show_default=True, help="How long it holds."
)
@click.option(
    "--depth", type=click.IntRange(0, 3), default=0, show_default=True, help="How many links may follow."
)
@click.option("--label", default="", help="Who it is, for people.")
@out_option
def grant(
    key_file: Path, subject: str, rights: str, territory: str, days: int, depth: int, label: str, out: Path
) -> None:
    """Signs a grant: part of what the signer holds, to another key."""
    now = int(time.time())
    fact = Granted(
        now,
        public_key(subject).raw,
        int(rights_of(rights)),
        checked_unit(territory),
        now // DAY_S * DAY_S,
        now + days * DAY_S,
        depth,
        label,
    )
    write_delivery(out, load_key(key_file), fact)


def rights_of(text: str) -> Right:
    found = Right(0)
    for word in text.upper().split(","):
        if word.strip() not in Right.__members__:
            known = ", ".join(name.lower() for name in Right.__members__)
            raise NotAllowed("right-unknown", f"{word.strip().lower()!r} is no right", hint=known)
        found |= Right[word.strip()]
    return found


@click.command(cls=Plain)
@key_option
@click.option("--subject", required=True, help="The key to end: its id, its public key, or its file.")
@folder_option
@at_option
@unit_option
@click.option("--hub", default=None, help="The hub whose journal is meant, when the ledger holds several.")
@click.option("--reason", required=True, help="Why; everybody who reads the ledger sees it.")
@out_option
def revoke(
    key_file: Path, subject: str, folder: Path, until: int | None, territory: str | None, hub: str | None,
    reason: str, out: Path,
) -> None:  # fmt: skip
    """Signs the end of a key: what had arrived by a position of the ledger stays, everything else is void."""
    ledger, ended = open_ledger(folder), id_of(subject)
    end = end_of(ledger, until)
    kept, cut = stays(ledger, ended, end), cut_of(ledger, end, hub)
    place = unit_of(ledger, ended, territory)
    reason = reason[:REVOCATION_REASON_CHARS_MAX]
    fact = Revoked(int(time.time()), ended, place, cut.hub_key, cut.log_id, cut.seq, pack_pairs(kept), reason)
    write_delivery(out, load_key(key_file), fact)
    click.echo(f"  decisions up to position {end} stay, in {len(kept)} logs; void in {place} is all else")


@click.command(cls=Plain)
@key_option
@click.option("--new", "new_file", type=FILE, required=True, help="The key file that takes over.")
@folder_option
@at_option
@unit_option
@click.option("--hub", default=None, help="The hub whose journal is meant, when the ledger holds several.")
@out_option
def rotate(
    key_file: Path, new_file: Path, folder: Path, until: int | None, territory: str | None, hub: str | None,
    out: Path,
) -> None:  # fmt: skip
    """Signs the last event of a key: its owner goes on with a new one, to which its issuer must grant."""
    ledger, old, new = open_ledger(folder), load_key(key_file), load_key(new_file)
    end = end_of(ledger, until)
    kept, cut = stays(ledger, old.key_id, end), cut_of(ledger, end, hub)
    place = unit_of(ledger, old.key_id, territory)
    proof = possession_of(new, old.verify_key.raw)
    fact = Rotated(
        int(time.time()), place, new.verify_key.raw, proof, cut.hub_key, cut.log_id, cut.seq, pack_pairs(kept)
    )
    write_delivery(out, old, fact)
    click.echo(f"  then its issuer grants to {new.verify_key.raw.hex()}")


COMMANDS = (keys, grant, revoke, rotate)

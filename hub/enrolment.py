"""The hub's end of enrolment: tokens it gave out, and the grant that follows a token well spent.

Tokens live in a table of the ledger's own file, so that spending one and sealing the station's grant is one
transaction: a crash in between leaves a token unspent or a station enrolled, never a token lost. What is
kept cannot enrol anybody (`ledger.log.enrol`).

A lost reply costs nothing: the same bytes sent again get the same reply, until the new key has been heard
from once; after that the same bytes are a replay. An unknown token and a wrong one get the same answer
after the same work.

Bound: who may ask for a token is `hub.commands`; bytes on the wire are `ledger.log.enrol`.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from hub.config import HubConfig
from ledger.facts import (
    Facts,
    Granted,
    Right,
)
from ledger.log import (
    Ledger,
    NotAllowed,
    SigningKey,
    enrol,
    words_of,
)

ROOT_WINDOW_S = 50 * 365 * 86_400
TOKENS_PER_UNIT_MAX = 3  # open tokens of one station; a new one beyond that closes the oldest

_SCHEMA = """
CREATE TABLE IF NOT EXISTS enrol_tokens (id BLOB PRIMARY KEY, unit TEXT NOT NULL, public BLOB NOT NULL,
  reply_key BLOB NOT NULL, made_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, spent_by BLOB, request BLOB,
  reply BLOB) WITHOUT ROWID
"""
# Checked against when the token is unknown, so that unknown and wrong cost the same.
_NOBODY = enrol.Token(bytes(enrol.TOKEN_BYTES)).record


@dataclass(frozen=True)
class Token:
    """A token as it is shown once, to be printed or scanned. expires_at: UTC s."""

    text: str
    unit: str
    expires_at: int


class Enrolment:
    """heard_from: whether a key has synced with this hub before."""

    def __init__(
        self,
        ledger: Ledger,
        db: sqlite3.Connection,
        facts: Facts,
        *,
        config: HubConfig,
        key: SigningKey,
        entropy: Callable[[int], bytes],
        heard_from: Callable[[bytes], bool],
    ) -> None:
        self._ledger = ledger
        self._db = db
        self._facts = facts
        self._config = config
        self._key = key
        self._entropy = entropy
        self._heard_from = heard_from
        with ledger.transaction():
            db.execute(_SCHEMA)

    def new_token(self, unit: str, *, now: int) -> Token:
        """A fresh token for this unit; the caller has asked whether it may be."""
        token = enrol.Token.new(self._entropy)
        record = token.record
        expires_at = now + self._config.token_life_s
        with self._ledger.transaction():
            self._db.execute(
                "INSERT INTO enrol_tokens (id, unit, public, reply_key, made_at, expires_at) "
                "VALUES (?,?,?,?,?,?)",
                (record.id, unit, record.public, record.reply_key, now, expires_at),
            )
            self._db.execute(
                "DELETE FROM enrol_tokens WHERE unit = ? AND spent_by IS NULL AND id NOT IN (SELECT id FROM "
                "enrol_tokens WHERE unit = ? AND spent_by IS NULL ORDER BY made_at DESC, id LIMIT ?)",
                (unit, unit, TOKENS_PER_UNIT_MAX),
            )
        return Token(token.text, unit, expires_at)

    def accept(self, body: bytes, *, now: int) -> bytes:
        """The reply to a station's request; its key is granted ACK for its unit and known from now on.

        ProtocolError, KeyRefused, SignatureError for the bytes; NotAllowed("token-refused" | "token-used" |
        "token-expired" | "enrol-replayed" | "enrol-unit" | "enrol-key-taken") for the token.
        """
        request = enrol.read_enrolment(body)
        with self._ledger.transaction():
            row = self._db.execute(
                "SELECT unit, public, reply_key, expires_at, spent_by, request, reply "
                "FROM enrol_tokens WHERE id = ?",
                (request.token_id,),
            ).fetchone()
            record = (
                _NOBODY if row is None else enrol.TokenRecord(request.token_id, bytes(row[1]), bytes(row[2]))
            )
            if not enrol.holds_token(request, record) or row is None:
                raise NotAllowed(
                    "token-refused", "this token enrols nobody", hint="ask the province for a new token"
                )
            unit, expires_at, spent_by = str(row[0]), int(row[3]), row[4]
            if spent_by is not None:
                return self._again(body, bytes(spent_by), bytes(row[5]), bytes(row[6]))
            if now > expires_at:
                raise NotAllowed("token-expired", "the token's 72 hours are over", hint="ask for a new token")
            if request.unit not in ("", unit):
                raise NotAllowed(
                    "enrol-unit",
                    "the token belongs to another station",
                    where=request.unit,
                    hint="use its own token",
                )
            request.key.prove_order()
            self._grant(request.key.raw, request.key.key_id, unit, now)
            reply = enrol.make_enrolment_reply(
                record,
                body,
                roots=self._config.root_keys,
                hub=self._key.verify_key,
                unit=unit,
                name=self._name_of(unit),
                province=self._config.name,
                hub_time=now,
            )
            self._db.execute(
                "UPDATE enrol_tokens SET spent_by = ?, request = ?, reply = ? WHERE id = ?",
                (request.key.key_id, hashlib.sha256(body).digest(), reply, request.token_id),
            )
            return reply

    def words(self, unit: str) -> str:
        """The six words of the unit's last enrolment, which the box shows too; "" when there was none."""
        row = self._db.execute(
            "SELECT request, reply FROM enrol_tokens WHERE unit = ? AND spent_by IS NOT NULL "
            "ORDER BY made_at DESC, id LIMIT 1",
            (unit,),
        ).fetchone()
        return "" if row is None else words_of(bytes(row[0]), hashlib.sha256(bytes(row[1])).digest())

    def _again(self, body: bytes, spent_by: bytes, request: bytes, reply: bytes) -> bytes:
        if hashlib.sha256(body).digest() != request:
            raise NotAllowed(
                "token-used", "the token was used already", hint="ask the province for a new token"
            )
        if self._heard_from(spent_by):
            raise NotAllowed(
                "enrol-replayed",
                "this very request was answered and used",
                hint="the station is enrolled: sync",
            )
        return reply

    def _grant(self, raw: bytes, key_id: bytes, unit: str, now: int) -> None:
        """The station's key may acknowledge for its unit, as long as the hub's own grant runs."""
        held = self._facts.authority.units_of(key_id, Right.ACK)
        if self._ledger.key_of(key_id) is not None and held != (unit,):
            raise NotAllowed("enrol-key-taken", "this key belongs to somebody else", hint="make a new key")
        window = window_of(self._facts, self._key.key_id, now)
        fact = Granted(
            ts=now,
            subject_pub=raw,
            classes=int(Right.ACK),
            territory=unit,
            not_before=window[0],
            not_after=window[1],
            depth=0,
            label=self._name_of(unit),
        )
        self._ledger.append_sealed(self._key, fact.encode())
        if unit not in self._facts.authority.units_of(key_id, Right.ACK):
            raise NotAllowed(
                "no-right",
                "the hub's own key may not enrol stations there",
                where=unit,
                hint="an administrator must grant the hub's key first",
            )

    def _name_of(self, unit: str) -> str:
        record = self._facts.stations.get(unit)
        return unit if record is None else record.fact.name


def window_of(facts: Facts, key_id: bytes, now: int) -> tuple[int, int]:
    """The widest window (UTC s) this issuer may pass on: its own grant's, or fifty years for a root."""
    for grant in facts.authority.grants_of(key_id):
        if grant.classes & Right.GRANT and grant.not_before <= now <= grant.not_after:
            return grant.not_before, grant.not_after
    return 0, now + ROOT_WINDOW_S

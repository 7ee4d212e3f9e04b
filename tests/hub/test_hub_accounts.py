"""Passwords, sealed keys and sessions: what opens a key, and what does not."""

from __future__ import annotations

import sqlite3
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hub_house import MORNING, entropy_from
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import sessions, vault
from hub.accounts import DELAY_S_MAX, TRIES_ROWS_MAX, Accounts, delay_s
from hub.config import KDF_CHEAP, HubConfig
from ledger.log import MemoryStore, NotAllowed, SigningKey, StoreError

PASSWORD = "mật khẩu dài 2022"
CONFIG = HubConfig("vn.yb", "Yên Bái", (), kdf=KDF_CHEAP)
ADD: dict[str, Any] = {"name": "Nguyễn Thị Lan", "role": "editor", "territory": "vn.yb", "now": MORNING}


class Desk:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.reopen()
        self.key = self.accounts.add("lan", password=PASSWORD, **ADD)

    def reopen(self) -> None:
        self.db: sqlite3.Connection = self.store.open_db("accounts.db")
        self.accounts = Accounts(self.db, config=CONFIG, entropy=entropy_from("accounts"))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def code_of(act: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(NotAllowed) as refused:
        act(*args, **kwargs)
    return refused.value.code


def test_the_right_password_opens_the_officers_own_key(desk: Desk) -> None:
    officer = desk.accounts.login("lan", PASSWORD, now=MORNING)
    assert officer is not None
    assert officer.key.seed == desk.key.seed
    assert (officer.account, officer.name, officer.role, officer.territory) == (
        "lan",
        "Nguyễn Thị Lan",
        "editor",
        "vn.yb",
    )
    assert officer.proved_at == MORNING


def test_a_password_counts_however_the_keyboard_composes_it(desk: Desk) -> None:
    typed = unicodedata.normalize("NFD", PASSWORD)
    assert typed != PASSWORD
    assert desk.accounts.login(" LAN ", typed, now=MORNING) is not None


def test_unknown_wrong_and_disabled_get_the_same_answer(desk: Desk) -> None:
    desk.accounts.add("nghi", password=PASSWORD, **ADD)
    desk.accounts.set_enabled("nghi", False)
    answers = [
        desk.accounts.login("khong-co", PASSWORD, now=MORNING),
        desk.accounts.login("lan", "sai mật khẩu", now=MORNING),
        desk.accounts.login("nghi", PASSWORD, now=MORNING),
    ]
    assert answers == [None, None, None]
    waits = desk.db.execute("SELECT failures, wait_until FROM tries").fetchall()
    assert waits == [(1, MORNING)] * 3, "each counted alike"


def test_unknown_and_wrong_cost_one_check_each(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time cannot be compared soundly on a shared machine; the work done can."""
    checks: list[str] = []
    real = vault.Vault.is_password
    monkeypatch.setattr(
        vault.Vault,
        "is_password",
        lambda self, login, typed: checks.append(login) or real(self, login, typed),
    )
    desk.accounts.login("khong-co", "x", now=MORNING)
    desk.accounts.login("lan", "x", now=MORNING)
    assert len(checks) == 2
    costs = [login.split("$")[3] for login in checks]
    assert costs[0] == costs[1], "the same argon2 parameters"


def test_the_database_holds_neither_password_nor_seed(desk: Desk) -> None:
    # type: ignore[arg-type]
    desk.accounts.start_session(desk.accounts.login("lan", PASSWORD, now=MORNING), now=MORNING)
    image = desk.db.serialize()
    assert desk.key.seed not in image
    assert PASSWORD.encode() not in image
    assert b"$argon2id$" in image


def test_a_sealed_key_moved_to_another_account_does_not_open(desk: Desk) -> None:
    desk.accounts.add("minh", password=PASSWORD, **ADD)
    desk.db.execute(
        "UPDATE accounts SET (login, salt, sealed, key_id) = "
        "(SELECT login, salt, sealed, key_id FROM accounts WHERE account = 'lan') WHERE account = 'minh'"
    )
    with pytest.raises(StoreError) as refused:
        desk.accounts.login("minh", PASSWORD, now=MORNING)
    assert refused.value.code == "account-damaged"


def test_the_delay_grows_is_bounded_and_ends(desk: Desk) -> None:
    now = MORNING
    for _ in range(3):
        assert desk.accounts.login("lan", "sai", now=now) is None
    assert desk.accounts.login("lan", "sai", now=now) is None
    assert code_of(desk.accounts.login, "lan", PASSWORD, now=now) == "login-delayed"
    longest = 0
    for _ in range(40):
        row = desk.db.execute("SELECT max(wait_until) FROM tries").fetchone()
        longest = max(longest, row[0] - now)
        now = max(now, row[0])
        assert desk.accounts.login("lan", "sai", now=now) is None
    assert longest == DELAY_S_MAX
    assert desk.accounts.login("lan", PASSWORD, now=now + DELAY_S_MAX) is not None, "no lock-out"
    assert desk.accounts.login("lan", "sai", now=now + DELAY_S_MAX) is None, "success starts afresh"


def test_a_name_that_does_not_exist_is_delayed_just_so(desk: Desk) -> None:
    for _ in range(4):
        assert desk.accounts.login("ma", "sai", now=MORNING) is None
    assert code_of(desk.accounts.login, "ma", "sai", now=MORNING) == "login-delayed"


def test_guessing_at_the_login_does_not_delay_a_person_at_work(desk: Desk) -> None:
    officer = desk.accounts.login("lan", PASSWORD, now=MORNING)
    assert officer is not None
    for _ in range(4):
        desk.accounts.login("lan", "đoán", now=MORNING)
    assert code_of(desk.accounts.login, "lan", PASSWORD, now=MORNING) == "login-delayed"
    assert desk.accounts.prove(officer, PASSWORD, now=MORNING + 9).proved_at == MORNING + 9


def test_a_wrong_password_proves_nothing(desk: Desk) -> None:
    officer = desk.accounts.login("lan", PASSWORD, now=MORNING)
    assert officer is not None
    assert code_of(desk.accounts.prove, officer, "sai mật khẩu", now=MORNING) == "wrong-password"
    assert code_of(desk.accounts.unlock, "lan", "", now=MORNING) == "wrong-password"


def test_names_tried_do_not_fill_the_disk(desk: Desk) -> None:
    desk.db.executemany(
        "INSERT INTO tries VALUES (?, 1, ?, 0)", [(n.to_bytes(4, "big"), n) for n in range(TRIES_ROWS_MAX)]
    )
    desk.accounts.login("moi", "sai", now=MORNING)
    assert desk.db.execute("SELECT count(*), min(last_at) FROM tries").fetchone() == (TRIES_ROWS_MAX, 1)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_no_delay_is_longer_than_a_person_on_duty_can_wait(failures: int) -> None:
    assert 0 <= delay_s(failures) <= DELAY_S_MAX
    assert delay_s(failures) <= delay_s(failures + 1)


# -- changing
# ----------------------------------------------------------------------------------------------------


def test_a_new_password_opens_the_same_key_and_ends_every_session(desk: Desk) -> None:
    officer = desk.accounts.login("lan", PASSWORD, now=MORNING)
    assert officer is not None
    token = desk.accounts.start_session(officer, now=MORNING)
    assert (
        code_of(desk.accounts.change_password, "lan", "sai", "mật khẩu mới", now=MORNING) == "wrong-password"
    )
    assert code_of(desk.accounts.change_password, "lan", PASSWORD, "ngắn", now=MORNING) == "password-weak"
    desk.accounts.change_password("lan", PASSWORD, "mật khẩu mới", now=MORNING)
    assert desk.accounts.session(token, now=MORNING) is None
    assert desk.accounts.login("lan", PASSWORD, now=MORNING) is None
    again = desk.accounts.login("lan", "mật khẩu mới", now=MORNING)
    assert again is not None
    assert again.key.seed == desk.key.seed


def test_the_holder_of_a_key_is_known_and_a_strangers_is_not(desk: Desk) -> None:
    assert desk.accounts.holder(desk.key.key_id).account == "lan"
    stranger = desk.accounts.holder(SigningKey.from_seed(bytes(32)).key_id)
    assert (stranger.account, stranger.name) == ("", "")


# -- sessions
# ----------------------------------------------------------------------------------------------------


def session_of(desk: Desk, now: int = MORNING) -> str:
    officer = desk.accounts.login("lan", PASSWORD, now=now)
    assert officer is not None
    return desk.accounts.start_session(officer, now=now)


def test_a_session_opens_the_key_also_after_a_restart_of_the_hub(desk: Desk) -> None:
    token = session_of(desk)
    desk.reopen()
    officer = desk.accounts.session(token, now=MORNING + 60)
    assert officer is not None
    assert officer.key.seed == desk.key.seed
    assert officer.proved_at == MORNING


def test_every_login_gets_a_new_token(desk: Desk) -> None:
    assert session_of(desk) != session_of(desk)


@pytest.mark.parametrize("token", ["", "x", "00" * 31, "00" * 32, "zz" * 32, "00" * 33])
def test_an_invented_token_opens_nothing(desk: Desk, token: str) -> None:
    session_of(desk)
    assert desk.accounts.session(token, now=MORNING) is None
    desk.accounts.end_session(token)
    desk.accounts.note_proof(token, now=MORNING)


def test_a_session_ends_when_idle_when_old_and_when_left(desk: Desk) -> None:
    token = session_of(desk)
    assert desk.accounts.session(token, now=MORNING + CONFIG.session_idle_s) is not None
    assert desk.accounts.session(token, now=MORNING + 2 * CONFIG.session_idle_s) is not None, "used: not idle"
    assert desk.accounts.session(token, now=MORNING + 3 * CONFIG.session_idle_s + 1) is None
    token, now = session_of(desk), MORNING
    while now < MORNING + CONFIG.session_max_s:
        assert desk.accounts.session(token, now=now) is not None
        now += CONFIG.session_idle_s
    assert desk.accounts.session(token, now=MORNING + CONFIG.session_max_s + 1) is None
    token = session_of(desk)
    desk.accounts.end_session(token)
    assert desk.accounts.session(token, now=MORNING) is None


def test_a_disabled_account_has_no_session_any_more(desk: Desk) -> None:
    token = session_of(desk)
    desk.accounts.set_enabled("lan", False)
    assert desk.accounts.session(token, now=MORNING) is None
    desk.accounts.set_enabled("lan", True)
    assert desk.accounts.session(token, now=MORNING) is None, "it does not come back"


def test_a_session_remembers_when_the_password_was_typed(desk: Desk) -> None:
    token = session_of(desk)
    desk.accounts.note_proof(token, now=MORNING + 500)
    officer = desk.accounts.session(token, now=MORNING + 600)
    assert officer is not None
    assert officer.proved_at == MORNING + 500


def test_sessions_have_a_bound() -> None:
    desk = Desk()
    officer = desk.accounts.login("lan", PASSWORD, now=MORNING)
    assert officer is not None
    tokens = [desk.accounts.start_session(officer, now=MORNING + n) for n in range(sessions.SESSIONS_MAX + 2)]
    assert desk.db.execute("SELECT count(*) FROM sessions").fetchone()[0] == sessions.SESSIONS_MAX
    assert desk.accounts.session(tokens[0], now=MORNING + 1_100) is None
    assert desk.accounts.session(tokens[-1], now=MORNING + 1_100) is not None


def test_a_session_of_another_account_does_not_open_with_this_ones_row(desk: Desk) -> None:
    token = session_of(desk)
    desk.accounts.add("minh", password=PASSWORD, **ADD)
    desk.db.execute("UPDATE sessions SET account = 'minh'")
    with pytest.raises(StoreError):
        desk.accounts.session(token, now=MORNING)


def test_an_officer_is_a_value(desk: Desk) -> None:
    officer = desk.accounts.login("lan", PASSWORD, now=MORNING)
    assert officer is not None
    assert replace(officer, proved_at=1).proved_at == 1
    assert desk.key.seed.hex() not in repr(officer)

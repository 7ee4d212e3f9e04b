"""Letters arrive at real servers, at least once, and are tried again when those are not there."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import http.server
import json
import ssl
import stat
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hub_house import House

from hub.alarms import Alarms
from hub.cli import hub as command
from hub.notices import trial
from hub.posting import (
    FIRST_WAIT_S,
    GIVE_UP_S,
    LAST_WAIT_S,
    Hook,
    Mail,
    Post,
    Settings,
    check,
    load_settings,
    post_of,
    save_settings,
    signature,
)
from ledger.log import DiskStore, StoreError

controller = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd is not installed (group `dev`)")
smtp = pytest.importorskip("aiosmtpd.smtp")

SECRET = "một bí mật đủ dài"
SITE = "https://loa.example"


class Received:
    """What a mail server was handed; the first `refuse` letters are turned away for now."""

    def __init__(self, refuse: int = 0) -> None:
        self.letters: list[EmailMessage] = []
        self.users: list[str] = []
        self.refuse = refuse

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            self.refuse -= 1
            return "451 come back later"
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: Any, data: Any) -> Any:
        ok = data.login == b"loa" and data.password == "mật khẩu".encode()
        self.users.append(data.login.decode())
        return smtp.AuthResult(success=ok)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(certificate, key) of a server on this machine."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begin = datetime.datetime(2022, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


def mail_server(received: Received, **more: Any) -> Any:
    class OnAnyPort(controller.Controller):
        def _trigger_server(self) -> None:
            self.port = port_of(self)
            super()._trigger_server()

    made = OnAnyPort(received, hostname="127.0.0.1", port=0, **more)
    made.start()
    return made


def port_of(server: Any) -> int:
    return int(server.server.sockets[0].getsockname()[1])


def posted(settings: Settings, seed: str = "post") -> tuple[House, Alarms, Post]:
    house = House(seed)
    alarms = house.hub.alarms
    post = post_of(alarms, settings, province="Yên Bái", now=lambda: house.now)
    alarms.put(trial("trial-1"), "trial-1", now=house.now)
    return house, alarms, post


def mail_to(port: int, **more: Any) -> Mail:
    fields: dict[str, Any] = {
        "host": "127.0.0.1", "port": port, "security": "none", "sender": "loa@yenbai.example",
        "to": ("truc@yenbai.example", "lanhdao@yenbai.example"),
    }  # fmt: skip
    return Mail(**(fields | more))


def test_a_mail_arrives_whole_in_vietnamese_with_one_id_for_all_its_tries() -> None:
    received = Received(refuse=1)
    server = mail_server(received)
    try:
        house, alarms, post = posted(Settings(site=SITE, mail=mail_to(port_of(server))))
        assert post.run_once() == 0
        (letter,) = alarms.letters()
        assert (letter.tries, letter.ended_at, letter.error) == (1, None, "mail-refused: SMTPDataError 451")
        assert post.run_once() == 0, "not before its time"
        house.later(FIRST_WAIT_S)
        assert post.run_once() == 1
    finally:
        server.stop()
    (mail,) = received.letters
    assert mail["Subject"] == "[Loa Yên Bái] Thư thử của Loa: đường báo sự cố hoạt động"
    assert mail["To"] == "truc@yenbai.example, lanhdao@yenbai.example"
    assert mail["Message-ID"] == "<trial-1-mail@yenbai.example>"
    assert "https://loa.example/su-co" in mail.get_content()
    assert post.run_once() == 0, "what arrived is not sent again"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_goes_over_tls_that_is_checked_and_with_a_password(
    security: str, certificate: tuple[Path, Path]
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    received = Received()
    more: dict[str, Any] = {"authenticator": received.authenticate}
    if security == "starttls":
        more |= {"tls_context": context, "require_starttls": True, "auth_required": True}
    else:
        more |= {"ssl_context": context, "auth_require_tls": False}
    server = mail_server(received, **more)
    try:
        mail = mail_to(
            port_of(server), host="localhost", security=security, user="loa", password="mật khẩu",
            ca=str(certificate[0]),
        )  # fmt: skip
        _, alarms, post = posted(Settings(mail=mail), f"tls-{security}")
        assert post.run_once() == 1, alarms.letters()
        assert received.users == ["loa"]
        _, alarms, post = posted(
            Settings(mail=mail_to(port_of(server), host="localhost", security=security, user="loa",
                                  password="mật khẩu")), f"untrusted-{security}",
        )  # fmt: skip
        assert post.run_once() == 0, "a certificate nobody vouches for"
        assert "CERTIFICATE_VERIFY_FAILED" in alarms.letters()[0].error
    finally:
        server.stop()


class Bridge(http.server.BaseHTTPRequestHandler):
    """A receiver as docs/spec/webhook.md wants one: checks the signature, takes each key once."""

    asked: list[tuple[dict[str, str], dict[str, Any]]]
    keys: set[str]
    answers: list[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        text = self.headers["X-Loa-Time"].encode() + b"." + body
        wanted = "sha256=" + hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(wanted, self.headers["X-Loa-Signature"])
        self.asked.append((dict(self.headers), json.loads(body)))
        self.keys.add(self.headers["Idempotency-Key"])
        self.send_response(self.answers.pop(0) if self.answers else 204)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def bridge() -> Iterator[tuple[type[Bridge], int]]:
    kind = type("OneBridge", (Bridge,), {"asked": [], "keys": set(), "answers": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kind, server.server_port
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_a_webhook_is_signed_and_a_receiver_knows_a_second_copy(bridge: tuple[type[Bridge], int]) -> None:
    kind, port = bridge
    kind.answers[:] = [500, 302]
    house, alarms, post = posted(Settings(hook=Hook(f"http://127.0.0.1:{port}/zalo?oa=1", SECRET)), "hook")
    assert post.run_once() == 0
    assert alarms.letters()[0].error == "hook-refused: HTTP 500"
    house.later(FIRST_WAIT_S)
    assert post.run_once() == 0, "a redirection is not followed"
    house.later(2 * FIRST_WAIT_S)
    assert post.run_once() == 1
    assert len(kind.asked) == 3
    assert kind.keys == {"trial-1-hook"}
    assert kind.asked[0][1]["title"] == "Thư thử của Loa: đường báo sự cố hoạt động"


def test_the_example_of_the_specification_has_the_signature_it_shows() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spec" / "webhook.md").read_text("utf-8")
    head, body = page.split("```\n")[1].split("\n\n", 1)
    headers = dict(line.split(": ", 1) for line in head.split("\n")[1:])
    made = signature("một bí mật đủ dài", int(headers["X-Loa-Time"]), body.rstrip("\n").encode())
    assert headers["X-Loa-Signature"] == made
    assert json.loads(body)["key"] + "-hook" == headers["Idempotency-Key"]


def test_a_server_that_is_not_there_costs_ever_longer_waits_and_is_given_up_after_three_days() -> None:
    house, alarms, post = posted(Settings(mail=mail_to(1)), "away")
    waits = []
    begun = house.now
    while alarms.letters()[0].ended_at is None:
        post.run_once()
        letter = alarms.letters()[0]
        waits.append(letter.next_at - house.now)
        house.now = max(letter.next_at, house.now)
        assert len(waits) < 200
    assert waits[:4] == [30, 60, 120, 240]
    assert max(waits) == LAST_WAIT_S
    assert house.now - begun >= GIVE_UP_S
    assert alarms.letters()[0].error.startswith("mail-unreachable")


def test_an_outage_puts_one_letter_for_each_way_into_the_outbox_and_a_restart_sends_it_once() -> None:
    house = House("outbox", places=[(f"vn.yb.{n:05d}", f"Xã {n}", "it") for n in range(4)])
    boxes = [house.station(f"vn.yb.{n:05d}") for n in range(4)]
    alarms = house.hub.alarms
    alarms.ways = ("mail", "hook")
    for _ in range(6):
        for box in boxes:
            box.sync()
        alarms.look(house.now)
        house.later(900)
    house.later(3_600)
    alarms.look(house.now)
    (alert,) = alarms.open()
    assert (alert.kind, alert.scope, len(alert.units)) == ("late", "vn.yb", 4)
    assert not alarms.letters(), "it has not stood long enough"
    house.later(900)
    alarms.look(house.now)
    alarms.look(house.now + 60)
    assert [one.way for one in alarms.letters()] == ["hook", "mail"]
    again = house.restart().alarms
    assert again.open() == alarms.open()
    assert [one.key for one in again.due(house.now)] == [one.key for one in reversed(alarms.letters())]
    body = again.letters()[0].body
    assert (body["what"], body["kind"], body["stations"], body["names"][0]) == ("opened", "late", 4, "Xã 0")
    assert body["title"] == "Sự cố: mất liên lạc – 4 trạm"


@pytest.mark.parametrize(
    "settings",
    [
        Settings(mail=mail_to(25, host="mail.example")),
        Settings(mail=mail_to(25, to=())),
        Settings(mail=mail_to(25, to=("a@b\r\nBcc: c@d",))),
        Settings(mail=mail_to(0)),
        Settings(mail=mail_to(25, security="sometimes")),
        Settings(hook=Hook("http://bridge.example/", SECRET)),
        Settings(hook=Hook("https://user:pass@bridge.example/", SECRET)),
        Settings(hook=Hook("ftp://bridge.example/", SECRET)),
        Settings(hook=Hook("https://bridge.example/", "short")),
    ],
)
def test_settings_that_would_send_in_the_clear_or_nowhere_are_refused(settings: Settings) -> None:
    with pytest.raises(StoreError) as caught:
        check(settings)
    assert caught.value.code == "alerts-settings"


def test_secrets_lie_in_a_file_that_nobody_else_reads_and_are_not_shown(tmp_path: Path) -> None:
    folder, run = tmp_path / "hub", CliRunner().invoke
    made = run(command, ["init", "--dir", str(folder), "--cheap-kdf", "--password", "quantri-2022"])
    assert made.exit_code == 0, made.output
    where = ["--dir", str(folder)]
    mail = [
        "alerts",
        "mail",
        *where,
        "--host",
        "mail.example",
        "--from",
        "loa@x.example",
        "--to",
        "a@x.example",
    ]
    done = run(command, [*mail, "--user", "loa"], env={"LOA_MAIL_PASSWORD": "rất bí mật"})
    assert done.exit_code == 0, done.output
    done = run(
        command, ["alerts", "hook", *where, "https://bridge.example/zalo"], env={"LOA_HOOK_SECRET": SECRET}
    )
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE((folder / "alerts.json").stat().st_mode) == 0o600
    shown = run(command, ["alerts", "show", *where]).output
    assert "rất bí mật" not in shown
    assert SECRET not in shown
    assert "mail.example" in shown
    assert run(command, ["alerts", "off", *where, "mail"]).exit_code == 0
    store = DiskStore(folder, readonly=True)
    assert load_settings(store).ways == ("hook",)
    store.close()
    bad = run(command, ["alerts", "hook", *where, "http://bridge.example/"], env={"LOA_HOOK_SECRET": SECRET})
    assert bad.exit_code != 0
    assert "alerts-settings" in bad.output


def test_settings_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "x")
    save_settings(store, Settings(site=SITE))
    assert load_settings(store) == Settings(site=SITE)
    store.write("alerts.json", b'{"mail": 1}')
    with pytest.raises(StoreError) as caught:
        load_settings(store)
    assert caught.value.code == "alerts-settings"
    store.close()

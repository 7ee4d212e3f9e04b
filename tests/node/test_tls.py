"""Over TLS: one session for many connections, the last word said, nobody believed without a certificate."""

from __future__ import annotations

import ssl
import time

import pytest

from ledger.log import TransportError
from node import HttpTransport, Limits, tls_context
from sim.bench.line import Line
from sim.bench.setting import Setting
from sim.bench.tls import Front

UNIT = "vn.yb.04630"
PAUSE_S = 0.2


def test_a_second_connection_resumes_the_session_of_the_first() -> None:
    with Setting([UNIT]) as setting, Front(setting.port) as front, Line(front.port) as line:
        box = setting.station(UNIT)
        box.move(line.port, front.trust, Limits(keepalive_s=PAUSE_S / 2))
        costs = []
        for _ in range(4):
            before = line.up + line.down
            box.round()
            time.sleep(PAUSE_S)
            costs.append(line.up + line.down - before)
        box.close()
        assert line.connections == 4
        assert max(costs[1:]) < costs[0] - 250, costs


def test_rounds_in_a_row_share_a_connection() -> None:
    with Setting([UNIT]) as setting, Front(setting.port) as front, Line(front.port) as line:
        box = setting.station(UNIT)
        box.move(line.port, front.trust)
        for _ in range(3):
            box.round()
        box.close()
        assert line.connections == 1


def test_a_certificate_that_nobody_vouches_for_is_a_failure_of_the_link() -> None:
    with Setting([UNIT]) as setting, Front(setting.port) as front:
        stranger = HttpTransport(f"https://127.0.0.1:{front.port}", mono=time.monotonic)
        with pytest.raises(TransportError, match=r"^link"):
            stranger.exchange(b"question")
        stranger.close()


def test_nothing_older_than_tls_1_3_is_spoken() -> None:
    context = tls_context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname

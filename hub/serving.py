"""One hub behind one web server, in one process: waitress for the sockets, one thread for the upkeep, and one
for the doorbell when it is wanted.

SIGTERM ends it in order; SIGKILL ends it as well, and nothing promised is lost. When the disk fails, the
process ends with the error's exit code, so that whoever supervises it starts it afresh and the ledger
verifies itself.

Under a service manager it says signs of life (`hub.service`): after a turn of the upkeep, when the hub has
answered a call of its own.

Bound: sockets, threads, signals. The hub inside has none of them.
"""

from __future__ import annotations

import http.client
import signal
import sys
import threading
from collections.abc import Callable

from hub.hub import Hub
from hub.posting import Post, Settings, load_settings, post_of
from hub.reading import Reading
from hub.ringing import doorbell_of
from hub.service import Pulse, called_at, status_line
from hub.web import create_app, listen
from ledger.content import TextIndex, leveller, pdf_reader, voice
from ledger.log import StoreError
from ledger.service import Manager

OWN_CALL_S = 10.0  # the hub waits so long for its own answer
TICK_S = 1.0  # how old the views may be; a tick without news costs well below a millisecond


def run(
    house: Hub, *, host: str, port: int, secure: bool, ticks: Callable[[], float],
    doorbell_port: int | None = None, watch: Callable[[], None] = lambda: None,
    doubts: Callable[[], list[str]] = list, manager: Manager | None = None,
) -> None:  # fmt: skip
    """Serves until SIGTERM or Ctrl-C. Prints `LISTENING http://…` when ready. Raises StoreError.

    port: 0 takes any free one. secure: the pages are reached by HTTPS. ticks: seconds of a steady clock.
    doorbell_port: as port, for the doorbell, told by `DOORBELL …` before; None: there is none.
    watch: called every second; a StoreError of it ends the hub. doubts: what a person should know, in lines.
    manager: who wants signs of life; None: nobody.
    """
    level = leveller()
    if level is None:
        print("ffmpeg is not installed: recordings stay as loud as they were handed in", file=sys.stderr)
    house.texts, read_pdf = TextIndex(house.store), pdf_reader()
    if read_pdf is None:
        print("poppler-utils is not installed: the words inside PDFs are not searched", file=sys.stderr)
    speaker = voice()
    if speaker is None:
        print("espeak-ng is not installed: nobody can listen to what stations will read out", file=sys.stderr)
    app = create_app(house, ticks=ticks, secure=secure, level=level, voice=speaker)
    try:
        server = listen(app, host=host, port=port)
    except OSError as error:
        raise StoreError(
            "address-busy", f"cannot listen on {host}:{port}: {error}", hint="choose another --port"
        ) from error
    stop = threading.Event()
    bound = getattr(server, "effective_listen", None) or [(host, server.effective_port)]
    manager = manager or Manager("", 0.0, ticks)
    pulse = Pulse(
        manager, lambda: _answers(called_at(host), int(bound[0][1])),
        lambda: status_line(house.config.name, house.config.province, house.ledger.position(), doubts()),
    )  # fmt: skip
    threads = [threading.Thread(target=_upkeep, args=(house, stop, watch, pulse.turned), name="upkeep")]
    if doorbell_port is not None:
        bell = doorbell_of(house, ticks=ticks)
        try:
            print(f"DOORBELL {host}:{bell.listen(host, doorbell_port)}", flush=True)
        except OSError as error:
            raise StoreError(
                "address-busy", f"cannot listen on {host}:{doorbell_port}: {error}",
                hint="choose another --doorbell-port",
            ) from error  # fmt: skip
        threads.append(threading.Thread(target=bell.run, args=(stop.is_set,), name="doorbell"))
    signal.signal(signal.SIGTERM, _leave)
    print(f"LISTENING http://{host}:{bound[0][1]}", flush=True)
    reading = Reading(house, house.texts, read_pdf)
    # A daemon: it may be inside a PDF for a minute, and has nothing that could not be read again.
    threading.Thread(target=reading.run, args=(stop.wait,), name="reading", daemon=True).start()
    post = _post(house)
    # A daemon: it may wait for a mail server, and what was not sent stays in the outbox.
    threading.Thread(target=post.run, args=(stop,), name="post", daemon=True).start()
    for thread in threads:
        thread.start()
    try:
        server.run()
    finally:
        manager.stopping()
        stop.set()
        for thread in threads:
            thread.join()
        house.close()
    if house.failed is not None:
        raise house.failed


def _upkeep(
    house: Hub, stop: threading.Event, watch: Callable[[], None],
    turned: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    while not stop.wait(TICK_S):
        try:
            watch()
            house.tick()
            house.alarms.tick(house.now())
        except StoreError as error:
            house.failed = error
        if house.failed is not None:
            signal.raise_signal(signal.SIGTERM)
            return
        turned()


def _post(house: Hub) -> Post:
    """Who tells of alerts. Settings that cannot be read are said and cost nobody a broadcast."""
    try:
        settings = load_settings(house.store)
    except StoreError as error:
        print(error.explain(), file=sys.stderr)
        settings = Settings()
    return post_of(house.alarms, settings, province=house.config.name, now=house.now)


def _answers(host: str, port: int) -> bool:
    """Whether the hub that listens here answers a call within OWN_CALL_S."""
    line = http.client.HTTPConnection(host, port, timeout=OWN_CALL_S)
    try:
        line.request("GET", "/healthz", headers={"Connection": "close"})
        return line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def _leave(_signal: int, _frame: object) -> None:
    sys.exit(0)

"""One hub behind one web server, in one process: waitress for the sockets, one thread for the upkeep, and one
for the doorbell when it is wanted.

SIGTERM ends it in order; SIGKILL ends it as well, and nothing promised is lost. When the disk fails, the
process ends with the error's exit code, so that whoever supervises it starts it afresh and the ledger
verifies itself.

Bound: sockets, threads, signals. The hub inside has none of them.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable

from hub.hub import Hub
from hub.ringing import doorbell_of
from hub.web import create_app, listen
from ledger.content import leveller
from ledger.log import StoreError

TICK_S = 1.0  # how old the views may be; a tick without news costs well below a millisecond


def run(
    house: Hub, *, host: str, port: int, secure: bool, ticks: Callable[[], float],
    doorbell_port: int | None = None, watch: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Serves until SIGTERM or Ctrl-C. Prints `LISTENING http://…` when ready. Raises StoreError.

    port: 0 takes any free one. secure: the pages are reached by HTTPS. ticks: seconds of a steady clock.
    doorbell_port: as port, for the doorbell, told by `DOORBELL …` before; None: there is none.
    watch: called every second; a StoreError of it ends the hub.
    """
    level = leveller()
    if level is None:
        print("ffmpeg is not installed: recordings stay as loud as they were handed in", file=sys.stderr)
    app = create_app(house, ticks=ticks, secure=secure, level=level)
    try:
        server = listen(app, host=host, port=port)
    except OSError as error:
        raise StoreError(
            "address-busy", f"cannot listen on {host}:{port}: {error}", hint="choose another --port"
        ) from error
    stop = threading.Event()
    threads = [threading.Thread(target=_upkeep, args=(house, stop, watch), name="upkeep")]
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
    bound = getattr(server, "effective_listen", None) or [(host, server.effective_port)]
    print(f"LISTENING http://{host}:{bound[0][1]}", flush=True)
    for thread in threads:
        thread.start()
    try:
        server.run()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        house.close()
    if house.failed is not None:
        raise house.failed


def _upkeep(house: Hub, stop: threading.Event, watch: Callable[[], None]) -> None:
    while not stop.wait(TICK_S):
        try:
            watch()
            house.tick()
        except StoreError as error:
            house.failed = error
        if house.failed is not None:
            signal.raise_signal(signal.SIGTERM)
            return


def _leave(_signal: int, _frame: object) -> None:
    sys.exit(0)

"""Serves the commune's page from a thread of the station's own process, on its local network.

A page that cannot be served is no reason for silence: the loudspeaker goes on, the log says why, and it is
tried again. What waits here is bounded: few connections, short patience, bodies no larger than a recording.

Bound: sockets. What is served is `web`, what it may ask goes through `hatch`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from ledger.log import NotAllowed, StoreError
from node.config import PAGE

logger = logging.getLogger("loa.node")

THREADS: Final = 4
CONNECTIONS_MAX: Final = 64
IDLE_S: Final = 30
BODY_BYTES_MAX: Final = 32 << 20  # the application itself allows less
AGAIN_S: Final = 30.0


def split_address(text: str) -> tuple[str, int]:
    """("0.0.0.0", 8080) of "0.0.0.0:8080". StoreError("config-range") for anything else."""
    found = PAGE.fullmatch(text)
    if found is None or not 0 < int(found[2]) < 65_536:
        raise StoreError("config-range", f'page is "host:port", not {text!r}', hint='such as "0.0.0.0:8080"')
    return found[1].strip("[]"), int(found[2])


def hold_page(address: str, make_app: Callable[[], Any], pause: Callable[[float], None]) -> None:
    """Serves from now on, in a daemon thread. pause: waits so many seconds.

    Raises StoreError("config-range"), NotAllowed("page-missing") when the page's libraries are not installed.
    """
    host, port = split_address(address)
    try:
        from waitress.server import create_server

        app = make_app()
    except ModuleNotFoundError as error:
        raise NotAllowed(
            "page-missing", f"the page needs {error.name}", hint="install loa with the extra `node`"
        ) from error

    def serve() -> None:
        said = False
        while True:
            try:
                server = create_server(
                    app, host=host, port=port, threads=THREADS, connection_limit=CONNECTIONS_MAX,
                    channel_timeout=IDLE_S, max_request_body_size=BODY_BYTES_MAX, ident="loa",
                    clear_untrusted_proxy_headers=True,
                )  # fmt: skip
            except OSError as error:
                if not said:
                    logger.error("the page cannot be served on %s: %s; it is tried again", address, error)
                said = True
                pause(AGAIN_S)
                continue
            logger.info("the page is served on http://%s", address)
            server.run()

    threading.Thread(target=serve, name="page", daemon=True).start()

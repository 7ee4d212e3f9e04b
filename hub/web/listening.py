"""The web server as a station's line needs it: waitress, with two things of its own under `/v1/sync`.

A large request's body is handed on while it comes in, so that what came before the line broke is not lost
(`hub.beginnings`); waitress itself drops it. And an answer there has no `Date`: the hub's time stands signed
in the reply, nothing there may be cached, and 37 bytes are a tenth of an exchange with nothing to say.

Bound: waitress's hooks (`channel_class`, `parser_class`, `task_class`) and nothing of what bytes mean.
"""

from __future__ import annotations

import re
from typing import Any, Final

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.receiver import FixedStreamReceiver
from waitress.server import BaseWSGIServer, create_server
from waitress.task import WSGITask

from hub.beginnings import NAME_BYTES, WORTH_BYTES, Beginnings, Upload

SYNC: Final = "/v1/sync"
GOING_ON: Final = re.compile(rf"{SYNC}/([0-9a-f]{{{2 * NAME_BYTES}}})/(\d{{1,7}})", re.ASCII)

ONE_PACKET_BYTES: Final = 4_096

# Few threads (the hub takes one request at a time anyway), short patience with idle sockets, and no Server
# header.
WAITRESS: Final[dict[str, Any]] = {
    "ident": None,
    "threads": 8,
    "channel_timeout": 60,
    "connection_limit": 1000,
    "clear_untrusted_proxy_headers": True,
}


def listen(app: Any, *, host: str, port: int, sockets: dict[int, Any] | None = None) -> Any:
    """A waitress server of `app` (made by `create_app`), not running yet. Raises OSError.

    port: 0 takes any free one. sockets: waitress's map of them, for whoever runs its loop himself.
    """
    sockets = {} if sockets is None else sockets
    server = create_server(app, map=sockets, host=host, port=port, **WAITRESS)
    channel = _channel_for(app.extensions["loa_beginnings"])
    for part in sockets.values():
        if isinstance(part, BaseWSGIServer):
            part.channel_class = channel
            # Head and body of a short answer leave in one packet. As an argument this would be deprecated;
            # where waitress knows it no more, it does nothing.
            part.adj.send_bytes = ONE_PACKET_BYTES
    return server


class _Task(WSGITask):  # type: ignore[misc]
    def build_response_header(self) -> bytes:
        head: bytes = super().build_response_header()
        if not self.request.path.startswith(SYNC):
            return head
        before, date, after = head.partition(b"\r\nDate: ")
        return before + after[after.index(b"\r\n") :] if date else head


class _Kept(FixedStreamReceiver):  # type: ignore[misc]
    """A body that is also put where a cut does not reach it."""

    def __init__(self, length: int, buf: Any, upload: Upload) -> None:
        super().__init__(length, buf)
        self._upload = upload

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        self._upload.add(bytes(data[:consumed]))
        return consumed


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    body_rcv: Any
    beginnings: Beginnings

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.command == "POST" and isinstance(self.body_rcv, FixedStreamReceiver):
            upload = _upload_for(self.beginnings, self.path, self.content_length)
            if upload is not None:
                self.body_rcv = _Kept(self.content_length, self.body_rcv.getbuf(), upload)


def keep_part(app: Any, path: str, length: int, data: bytes) -> None:
    """As if a POST of `length` bytes had broken off after `data`: for a line that is only simulated."""
    upload = _upload_for(app.extensions["loa_beginnings"], path, length)
    if upload is not None:
        upload.add(data)


def _upload_for(beginnings: Beginnings, path: str, length: int) -> Upload | None:
    """Where the body of such a POST is to be kept as well; None when it is not."""
    if path == SYNC and length >= WORTH_BYTES:
        return beginnings.upload()
    going_on = GOING_ON.fullmatch(path)
    return None if going_on is None else beginnings.upload(bytes.fromhex(going_on[1]), int(going_on[2]))


def _channel_for(beginnings: Beginnings) -> type[HTTPChannel]:
    class Parser(_Parser):
        pass

    Parser.beginnings = beginnings

    class Channel(HTTPChannel):  # type: ignore[misc]
        parser_class = Parser
        task_class = _Task

    return Channel

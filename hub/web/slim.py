"""Pages go over the wire compressed: at 256 kbit/s the wall of a province is half a second instead of two.

Only text made here, only whole answers to GET, only for browsers that ask. Machine routes are left alone
(segments are compressed by their author). Compressing a page that holds a token and an echo of the address
is safe here because another site cannot make the browser send the session along (SameSite=Lax), so nobody
can guess against its length.
"""

from __future__ import annotations

import gzip
from typing import Final

from flask import Response, request

from hub.web.security import MACHINE

TYPES: Final = frozenset({"text/html", "text/css", "text/javascript", "text/calendar", "image/svg+xml"})
WORTH_BYTES: Final = 800  # below this the headers outweigh the gain
LEVEL: Final = 6


def slim(response: Response) -> Response:
    """after_request: gzip the body when it helps."""
    if (
        request.method != "GET"
        or request.path.startswith(MACHINE)
        or response.mimetype not in TYPES
        or "Content-Encoding" in response.headers
        or response.status_code == 304
    ):
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings.quality("gzip"):
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) < WORTH_BYTES:
        return response
    response.set_data(gzip.compress(body, LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    tag, _weak = response.get_etag()
    if tag is not None:
        response.set_etag(tag, weak=True)  # other bytes, same page
    return response

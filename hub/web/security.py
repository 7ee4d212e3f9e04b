"""What every answer to a browser carries, and what an unsafe request must prove before a page sees it.

Three walls, each enough for the common attack: the cookie is SameSite=Lax, the request's own account of
where it came from (`Sec-Fetch-Site`, else `Origin`) must name this site, and the form must hold the
session's CSRF token. The signed machine API under /v1/ takes part in none of it: no cookie is read or set
there, and its headers are bare because a byte costs air time on 2G.
"""

from __future__ import annotations

from typing import Final

from flask import Request, Response, abort, request

UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MACHINE: Final = "/v1/"
HSTS_S: Final = 63_072_000  # two years, what browsers' preload lists ask for

FRAMED: Final = frozenset({"second.frame"})  # the only page that a page of this site may hold inside itself

CSP: Final = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def comes_from_here(asked: Request) -> bool:
    """True when the browser says that this very site sent the request, or the client is no browser at all.

    `Sec-Fetch-Site: none` is a person typing an address; that never makes a POST, so it is refused for
    unsafe ones. A client that sends neither header (curl, an old library) carries no ambient cookie either;
    the token still guards.
    """
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = asked.headers.get("Origin")
    return origin is None or origin == f"{asked.scheme}://{asked.host}"


def refuse_foreign_posts() -> None:
    """before_request: stop an unsafe request from elsewhere before any form is parsed."""
    if request.path.startswith(MACHINE) or request.method not in UNSAFE:
        return
    if not comes_from_here(request):
        abort(403)


def harden(response: Response, *, secure: bool) -> Response:
    """after_request: the headers of a page. Pages hold people's work, so nothing but static files is
    cached.
    """
    if request.path.startswith(MACHINE):
        return response
    framed = request.endpoint in FRAMED
    policy = CSP.replace("frame-ancestors 'none'", "frame-ancestors 'self'") if framed else CSP
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "SAMEORIGIN" if framed else "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if secure:
        response.headers["Strict-Transport-Security"] = f"max-age={HSTS_S}; includeSubDomains"
    return response

"""One press, one signed event: a form carries a ticket, and the same ticket never acts twice.

A slow link invites a second press, and a second press must not draft a second bulletin or order a second
emergency. Each form that ends in a signature holds a random ticket; the first press that succeeds records
where it led, and every later one with that ticket at that desk is led there too. A refused press records
nothing, so it may be corrected and sent again. The memory is bounded and ends with the process, as sessions
do.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, cast

from flask import current_app, redirect, request
from flask_login import current_user
from werkzeug.wrappers import Response

from hub.web import auth

TICKET_BYTES: Final = 12
TICKETS_MAX: Final = 4096  # acts remembered; a busy province signs a few hundred a day
FIELD: Final = "act"


class Acts:
    """Tickets already used: (desk, ticket) → path."""

    def __init__(self) -> None:
        self._done: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = threading.Lock()

    def run(self, desk: str, ticket: str, act: Callable[[], str]) -> str:
        """Do `act` unless this ticket did; the path it led to. The lock makes the second press wait for the
        first.
        """
        with self._lock:
            led_to = self._done.get((desk, ticket))
            if led_to is None:
                led_to = act()
                self._done[(desk, ticket)] = led_to
                if len(self._done) > TICKETS_MAX:
                    self._done.popitem(last=False)
            return led_to


def ticket() -> str:
    """A fresh ticket for a form."""
    return auth.the_hub().entropy(TICKET_BYTES).hex()


def once(act: Callable[[], str]) -> Response:
    """Run `act` (which returns the path to go on to) once for the ticket in the submitted form, and go
    there.
    """
    acts = cast(Acts, current_app.extensions["loa_acts"])
    held = request.form.get(FIELD, "")
    led_to = acts.run(current_user.token, held, act) if held else act()
    return redirect(led_to, code=303)

"""What stands at the top of every page: an emergency that waits for this officer's signature, and what is on
the air now.

Asked of the fold in memory, once a request; no database, since every page asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import g, request

from hub.emergencies import Waiting, in_force, waiting
from hub.web import auth

if TYPE_CHECKING:
    from ledger.facts import EmergencyOrdered, Standing

OWN_STRIP: Final = ("today.page",)  # pages that show orders in force themselves
PIECE: Final = "second.strip_bar"
PROPOSAL: Final = "second.one"
OWN_BLUEPRINTS: Final = ("emergency", "second")


def open_proposals() -> list[Waiting]:
    """Every proposal that may be taken up now, whoever's."""
    if "open_proposals" not in g:
        hub = auth.the_hub()
        with hub.lock:
            g.open_proposals = waiting(hub.facts, auth.now())
    found: list[Waiting] = g.open_proposals
    return found


def page_shown() -> str:
    """The endpoint of the page at whose top the strip stands."""
    page = request.endpoint or ""
    return request.args.get("o", "") if page == PIECE else page


def calls() -> list[Waiting]:
    """Proposals that wait for this officer; a proposal's own page says so itself."""
    officer = auth.officer_or_none()
    if officer is None or officer.role != "approver" or page_shown() == PROPOSAL:
        return []
    commands, now = auth.the_hub().commands, auth.now()
    return [one for one in open_proposals() if commands.may_second(officer, one, now=now)]


def own_proposals() -> list[Waiting]:
    """This officer's own proposals that wait for somebody else."""
    officer = auth.officer_or_none()
    if officer is None or page_shown() == PROPOSAL:
        return []
    return [one for one in open_proposals() if one.key_id == officer.key.key_id]


def on_air() -> list[Standing[EmergencyOrdered]]:
    """Orders in force in this officer's sight, for pages that do not show them themselves."""
    page = page_shown()
    own = page in OWN_STRIP or page.partition(".")[0] in OWN_BLUEPRINTS
    if own or auth.officer_or_none() is None:
        return []
    hub = auth.the_hub()
    with hub.lock:
        return [one for one in in_force(hub.facts, auth.now()) if auth.in_sight(one.fact.territory)]


STRIP: Final = {"calls": calls, "own_proposals": own_proposals, "on_air": on_air}

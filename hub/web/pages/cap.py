"""Cảnh báo CAP: hand in a warning as a file and get the emergency form filled in; fetch an order as a file.

A file never orders anything. It is read, what it says and what was checked is shown, and a button carries its
words into the ordinary emergency form, where the same person goes on as always: counts, password. Handing in
leaves one trace, the hub's short memory of what it was shown; a refused file leaves none.

Fetching asks what the order's own page asks, and gives the same bytes each time, with a signature of the
hub's key beside them.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from hub.cap import handed, senders
from hub.cap.files import all_clear_file, order_file
from hub.cap.proposing import CANCEL, Proposal, heard, propose
from hub.cap.reading import FILE_BYTES_MAX, STATUS, read_alert, refused
from hub.cap.values import Alert
from hub.web import auth, cap_words
from hub.web.choices import emergency_kinds, territories
from hub.web.names import unit_names
from hub.web.tongue import gettext
from hub.web.words import level_name
from ledger.log import LoaError, ProtocolError, StoreError

cap = Blueprint("cap", __name__)

TEXT_OF_FILE_MAX: Final = 4096  # of a signature file; it has 129 bytes


@cap.get("/khan-cap/cap")
def page() -> ResponseReturnValue:
    auth.needs("approver")
    return shown()


@cap.post("/khan-cap/cap")
def take_in() -> ResponseReturnValue:
    """Reads the file and shows what it proposes. Nothing is ordered."""
    officer = auth.needs("approver")
    given = request.files.get("file")
    if given is None or not given.filename:
        return shown({"file": gettext("Hãy chọn tệp CAP (.xml).")}, status=STATUS)
    data = given.stream.read(FILE_BYTES_MAX + 1)
    beside = request.files.get("signature")
    signature = beside.stream.read(TEXT_OF_FILE_MAX).decode("ascii", "replace") if beside is not None else ""
    hub, now = auth.the_hub(), auth.now()
    try:
        alert = read_alert(data)
        checked = senders.check(senders.load_senders(hub.store), alert.sender, data, signature)
        proposal = None
        if alert.msg_type == CANCEL:
            heard(alert, now=now)
        else:
            proposal = propose(alert, territory=officer.territory, units=unit_names(), now=now)
        with hub.lock:
            before = known_before(alert, checked)
            words = proposal.text if proposal is not None else ""
            handed.note(hub.store, alert, words, by=officer.account, now=now)
            meant = handed.orders_of(hub, alert.references, now=now)
            same = handed.orders_of(hub, (alert.reference,), now=now)
    except (ProtocolError, StoreError) as refusal:
        return shown({"file": cap_words.refusal_said(refusal)}, refusal=refusal, status=STATUS)
    rows = {row.series: row for row in hub.queries.all_series() if row.kind == "emergency"}
    return render_template(
        "cap_read.html",
        alert=alert,
        info=proposal.info if proposal is not None else alert.infos[0] if alert.infos else None,
        proposal=proposal,
        values=values_of(proposal) if proposal is not None else {},
        places=places_of(proposal, officer.territory) if proposal is not None else [],
        checked=checked,
        before=before,
        meant=[rows[s] for s in meant if s in rows and auth.in_sight(rows[s].territory)],
        same=[
            rows[s]
            for s in same
            if s in rows and auth.in_sight(rows[s].territory) and in_force(rows[s].state, rows[s].expires_at)
        ],
        in_force=in_force,
        kind_word=dict(emergency_kinds())[proposal.kind] if proposal is not None else "",
        level_word=level_name(proposal.level) if proposal is not None else "",
        said=cap_words,
    )


def shown(
    errors: dict[str, str] | None = None, *, refusal: LoaError | None = None, status: int = 200
) -> ResponseReturnValue:
    found: list[senders.Sender] = []
    try:
        found = senders.load_senders(auth.the_hub().store)
    except StoreError as error:
        errors = errors or {"": cap_words.refusal_said(error)}
    return (
        render_template(
            "cap.html",
            errors=errors or {},
            refusal=refusal,
            said=cap_words,
            senders=found,
            bytes_max=FILE_BYTES_MAX,
        ),
        status,
    )


def known_before(alert: Alert, checked: senders.Checked) -> handed.Handed | None:
    """When it was handed in earlier. Another content under the same name must be verified."""
    before = handed.earlier(auth.the_hub().store, alert, now=auth.now())
    if before is not None and before.digest != handed.digest_of(alert) and checked.state != senders.VERIFIED:
        raise refused(
            "cap-reused", "another warning of this identifier was handed in", "alert/identifier",
            "one of the two is false or a mistake: telephone the sender",
        )  # fmt: skip
    return before


def in_force(state: str, expires_at: int) -> bool:
    return state == "active" and expires_at > auth.now()


def values_of(proposal: Proposal) -> dict[str, str]:
    """The emergency form's fields."""
    return {
        "kind": proposal.kind,
        "level": str(proposal.level),
        "mode": "drill" if proposal.drill else "real",
        "text": proposal.text,
        "hours": str(proposal.hours),
    }


def places_of(proposal: Proposal, own: str) -> list[tuple[str, str]]:
    """What the officer may choose among: the places that the alert names, else all of theirs."""
    offered = territories(own)
    if not proposal.territories:
        return offered
    return [(unit, name) for unit, name in offered if unit in proposal.territories]


# -- out -----------------------------------------------------------------------------------------------------


@cap.get("/khan-cap/<int(max=2147483647):series>/cap.xml")
def alert_xml(series: int) -> ResponseReturnValue:
    return download(order_of(series), f"loa-{series}.xml")


@cap.get("/khan-cap/<int(max=2147483647):series>/cap.sig")
def alert_sig(series: int) -> ResponseReturnValue:
    return download(signed(order_of(series)), f"loa-{series}.xml.sig")


@cap.get("/khan-cap/<int(max=2147483647):series>/cap-bao-yen.xml")
def cancel_xml(series: int) -> ResponseReturnValue:
    return download(cancel_of(series), f"loa-{series}-bao-yen.xml")


@cap.get("/khan-cap/<int(max=2147483647):series>/cap-bao-yen.sig")
def cancel_sig(series: int) -> ResponseReturnValue:
    return download(signed(cancel_of(series)), f"loa-{series}-bao-yen.xml.sig")


def order_of(series: int) -> bytes:
    """404 for what the order's own page does not show."""
    looked_at(series)
    return order_file(auth.the_hub(), series)


def cancel_of(series: int) -> bytes:
    looked_at(series)
    found = all_clear_file(auth.the_hub(), series)
    if found is None:
        abort(404)
    return found


def looked_at(series: int) -> None:
    row = auth.the_hub().queries.series(series)
    if row.kind != "emergency" or not auth.in_sight(row.territory):
        abort(404)


def signed(data: bytes) -> bytes:
    return senders.signature_of(auth.the_hub().key, data).encode() + b"\n"


def download(data: bytes, name: str) -> Response:
    answer = Response(data, mimetype="application/cap+xml" if name.endswith(".xml") else "text/plain")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer

"""How the station stands: everything in one quiet list, and the one line of what is wrong and what to do."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from node.page import stateview
from node.page.office import Office
from node.page.phrases import Words
from node.page.signs import signs_of
from node.page.trouble import troubles
from node.web.parts import ask

PAGE = Blueprint("status", __name__)
MENU = Words("Tình trạng", "State")


@PAGE.get("/tinh-trang")
def page() -> ResponseReturnValue:
    def look(office: Office) -> dict[str, Any]:
        found = troubles(signs_of(office))
        return {
            "trouble": found[0] if found else None, "others": found[1:], "rows": stateview.rows(office),
            "moment": office.now(),
        }  # fmt: skip

    return render_template("status.html", **ask(look))

"""Who did what here: decisions from the signed log, sign-ins and failures from the box's own notes."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from node.page import journalview
from node.page.phrases import Words
from node.web.parts import ask

PAGE = Blueprint("journal", __name__)
MENU = Words("Nhật ký", "Record")


@PAGE.get("/nhat-ky")
def page() -> ResponseReturnValue:
    return render_template("journal.html", rows=ask(journalview.entries))

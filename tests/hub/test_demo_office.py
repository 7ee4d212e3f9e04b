"""The demo's officers at their browsers, when the hub dies after it has signed and before it has answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from test_web_house import PASSWORDS, House, build
from test_web_machine import served

from sim.demo.office import Officer


class Lossy:
    """The application, whose answer to the first press that goes to `action` is lost. `lost` counts."""

    def __init__(self, app: Callable[..., Iterable[bytes]], action: str) -> None:
        self._app, self._action, self.lost = app, action, 0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        pressed = environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].endswith(self._action)
        if not pressed or self.lost:
            return self._app(environ, start)
        self.lost += 1
        for _ in self._app(environ, lambda *_: None):
            pass
        start("503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"gone"]


@contextmanager
def losing(house: House, action: str) -> Iterator[tuple[Officer, Lossy]]:
    lossy = Lossy(house.app.wsgi_app, action)
    house.app.wsgi_app = lossy  # type: ignore[method-assign]
    with served(house) as port:
        officer = Officer(lambda: f"http://127.0.0.1:{port}", "lanhdao", PASSWORDS["lanhdao"])
        try:
            yield officer, lossy
        finally:
            officer.close()


@pytest.mark.parametrize(
    ("action", "press", "state"),
    [
        ("/duyet", lambda officer, bulletin: officer.approve(bulletin), "approved"),
        ("/tra-lai", lambda officer, bulletin: officer.give_back(bulletin, "Thiếu số."), "returned"),
    ],
    ids=["approve", "give-back"],
)
def test_an_answer_that_was_lost_is_not_asked_for_twice(
    action: str, press: Callable[[Officer, str], None], state: str
) -> None:
    house = build(f"lost{action}")
    bulletin = house.browser("bientap").draft()
    with losing(house, action) as (officer, lossy):
        press(officer, bulletin)
    assert lossy.lost == 1
    assert house.hub.queries.bulletin(bulletin).row.state == state
    assert [one.what for one in house.hub.queries.deeds()].count(state) == 1


def test_a_withdrawal_whose_answer_was_lost_stands_once() -> None:
    house = build("lost-withdrawal")
    bulletin = house.browser("bientap").draft()
    house.browser("lanhdao").get(f"/cho-duyet/{bulletin}").press("/duyet", password=PASSWORDS["lanhdao"])
    with losing(house, "/thu-hoi") as (officer, lossy):
        officer.withdraw(bulletin, "Sai ngày.")
    assert lossy.lost == 1
    assert house.hub.queries.bulletin(bulletin).row.state == "withdrawn"

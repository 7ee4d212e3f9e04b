"""The pages, one file per screen; each is load → show, or read the form → one command → go on."""

from hub.web.pages.compose import reading_and_writing
from hub.web.pages.duty import duty
from hub.web.pages.emergency import emergency
from hub.web.pages.keys import keys
from hub.web.pages.papers import papers
from hub.web.pages.queue import queue
from hub.web.pages.schedule import schedule
from hub.web.pages.stations import stations
from hub.web.pages.today import today
from hub.web.pages.usb import usb
from hub.web.pages.why import why
from hub.web.pages.wishes import wishes

BLUEPRINTS = (
    today, reading_and_writing, queue, schedule, why, emergency, stations, papers, usb, keys, wishes,
    duty,
)  # fmt: skip

"""The pages, one file per screen; each is load → show, or read the form → one command → go on."""

from hub.web.pages.alerts import alerts
from hub.web.pages.answers import emergency
from hub.web.pages.bulk import queue
from hub.web.pages.cap import cap
from hub.web.pages.compose import reading_and_writing
from hub.web.pages.duty import duty
from hub.web.pages.groups import groups
from hub.web.pages.handing import handing_in
from hub.web.pages.holidays import holidays
from hub.web.pages.keys import keys
from hub.web.pages.papers import papers
from hub.web.pages.phonebook import phonebook
from hub.web.pages.planning import schedule
from hub.web.pages.reports import reports
from hub.web.pages.samples import samples
from hub.web.pages.second import second
from hub.web.pages.spoken import reading_out
from hub.web.pages.stations import stations
from hub.web.pages.today import today
from hub.web.pages.usb import usb
from hub.web.pages.versions import comparing
from hub.web.pages.why import why
from hub.web.pages.wishes import wishes

assert comparing is reading_and_writing, "their routes hang on one blueprint"
BLUEPRINTS = (
    cap, today, reading_and_writing, queue, schedule, why, emergency, stations, papers, usb, keys, wishes,
    duty, alerts, reports, groups, holidays,
    second, phonebook,
    handing_in, samples, reading_out,
)  # fmt: skip

"""Inside the trial's box: an editor writes one bulletin, an approver approves and schedules it, by the hub's
own forms, so that the station has something to play.

`office.py URL SECONDS LENGTH`: it begins with the first minute at least so many seconds from now.
"""

from __future__ import annotations

import datetime as dt
import sys
import time

from sim.demo import office, sound
from sim.demo.day import Bulletin

VIETNAM = dt.timezone(dt.timedelta(hours=7))
UNIT = "vn.yb.04630"


def main(url: str, later_s: int, length_s: int) -> None:
    # A slot begins with a minute.
    begins = dt.datetime.fromtimestamp(-(-(time.time() + later_s) // 60) * 60, VIETNAM)
    office.DAY_ISO = begins.strftime("%d/%m/%Y")
    editor = office.Officer(lambda: url, "bientap", "trial-editor-1")
    approver = office.Officer(lambda: url, "lanhdao", "trial-approver-1")
    bulletin = Bulletin(
        key="trial", title="Bản tin thử", category="phap-luat", klass=2, territory=UNIT,
        clock=begins.strftime("%H:%M"), audio_s=length_s, text="Đây là bản tin thử loa.", fate="approved",
    )  # fmt: skip
    number = editor.draft(bulletin, sound.chime("trial", length_s))
    approver.approve(number)
    approver.schedule(number, bulletin.clock)
    print(int(begins.timestamp()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

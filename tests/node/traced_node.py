"""A station's morning and night on a real disk, for `test_power_images.py`: run under the tracing library.

After each tick it writes into `marks` what it may rely on from now on: no power cut may take that back.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from station_world import DAY, World

from ledger.facts import at
from ledger.log import Blobs, DiskStore


def main(folder: Path) -> None:
    store = DiskStore(folder)
    marks = os.open(folder / "marks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def mark() -> None:
        done = [row.key for row in world.station.plays.rows() if row.state == "done"]
        begun = [row.key for row in world.station.plays.rows()]
        held = [name.hex() for name in Blobs(store).held()]
        os.write(marks, json.dumps({"done": done, "begun": begun, "held": held}).encode() + b"\n")

    world = World(store=store, sync_period_s=120, ack_delay_s=10)  # type: ignore[arg-type]
    mark()
    world.hub.programme(335, seconds=240, on_interrupt=1)
    world.hub.programme(341, seconds=30)
    acts = [(336.0, lambda: world.hub.emergency(seconds=25)), (345.0, lambda: None)]
    for minute, act in acts:
        while world.clock.utc_s < at(DAY) + minute * 60:
            world.clock.pass_s(min(world.station.tick(), 30.0))
            mark()
        act()
    for _ in world.station._keeper._night(world.station._moment):
        pass
    mark()
    world.station.close()
    mark()
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

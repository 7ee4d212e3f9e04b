"""A station process for a test: `fetch_child.py FOLDER URL SHA256 UTC_S` runs until this content is here.

Its clock jumps over every wait, so that nothing but the network and the disk takes time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from fetch_node import Node
from station_world import TestClock

from ledger.log import Blobs, DiskStore

if __name__ == "__main__":
    folder, url, name, utc_s = sys.argv[1:]
    store = DiskStore(Path(folder))
    node = Node(store, TestClock(float(utc_s)), url, time.monotonic)
    node.boot()
    blobs = Blobs(store)
    sha = bytes.fromhex(name)
    node.run_until(lambda: blobs.has(sha))
    node.close()
    store.close()

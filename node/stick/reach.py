"""A command at the box, beside a running station or on a stopped one: whoever types it need not know which.

The folder of a stopped station is opened; that of a running one is owned by its process, which is reached
through the folder and asked (`handover`). Whatever else is wrong with the folder is said as it is.

Bound: which of the two. What is asked is the command's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.log import DiskStore
    from node.stick.handover import Beside


@contextmanager
def folder_or_station(
    folder: Path, entropy: Callable[[int], bytes], sleep: Callable[[float], None]
) -> Iterator[DiskStore | Beside]:
    """The store of a stopped station, or the way to the running one; closed at the end.

    sleep: waits so many seconds. Raises StoreError.
    """
    from ledger.log import DiskStore, StoreError
    from node.stick.handover import Beside

    found: DiskStore | Beside
    try:
        found = DiskStore(folder)
    except StoreError as error:
        if error.code != "store-busy":
            raise
        found = Beside(folder, entropy=entropy, sleep=sleep)
    try:
        yield found
    finally:
        found.close()

"""What the commands of `loa hub` share in how they are hung into the group: their options and their desk.

Bound: types; the options themselves are `hub.cli`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeAlias

from hub.accounts import Officer
from hub.hub import Hub

# (folder, account, password) → the hub, opened to write, and the officer who signed in.
Desk: TypeAlias = Callable[[Path, str, str], AbstractContextManager[tuple[Hub, Officer]]]
Option: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

"""The operators' UI and the sync API: a thin skin over `hub.Hub`. No rule lives here; rules live in the
commands.
"""

from hub.web.app import create_app
from hub.web.listening import WAITRESS, keep_part, listen

__all__ = ["WAITRESS", "create_app", "keep_part", "listen"]

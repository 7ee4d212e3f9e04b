"""The operators' UI and the sync API: a thin skin over `hub.Hub`. No rule lives here; rules live in the
commands.
"""

from hub.web.app import WAITRESS, create_app

__all__ = ["WAITRESS", "create_app"]

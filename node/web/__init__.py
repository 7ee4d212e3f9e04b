"""The commune's own page: what a browser on the local network sees of this station."""

from node.web.app import create_app

__all__ = ["create_app"]

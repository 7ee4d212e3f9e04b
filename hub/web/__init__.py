"""The operators UI and the sync API."""

"""The signed log."""

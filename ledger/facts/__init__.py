"""The facts the log holds."""

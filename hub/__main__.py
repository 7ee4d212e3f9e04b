"""`python -m hub` is `loa hub`."""

from hub.cli import hub

if __name__ == "__main__":
    hub(prog_name="loa hub")

"""`python -m hub …` is `loa hub …`."""

from hub.cli import hub

hub(prog_name="loa hub")

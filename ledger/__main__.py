"""`python -m ledger …` is `loa ledger …`."""

from ledger.cli import ledger

ledger(prog_name="loa ledger")

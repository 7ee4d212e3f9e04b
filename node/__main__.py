"""`python -m node …` is `loa node …`."""

from node.cli import node

node(prog_name="loa node")

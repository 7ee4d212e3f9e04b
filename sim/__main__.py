"""`python -m sim …` is `loa sim …`."""

from sim.cli import sim

sim(prog_name="loa sim")

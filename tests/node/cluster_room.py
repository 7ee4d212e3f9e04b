"""A bank of simulated receivers on a link in virtual time, and a driver that talks to them."""

from __future__ import annotations

from dataclasses import dataclass, field

from node import LineDriver
from node.clusters.driver import Said, Sound
from node.clusters.slots import Clusters
from sim.clusters import Bank, BankLine, Ill, of_address
from sim.faults import Dice

ITEM = bytes(range(16))
SOUND = Sound(ITEM, 3_600)
KEY = (41, 19_305)


@dataclass
class Room:
    """now_s moves by hand; `run` looks as often as the station would."""

    count: int = 20
    ills: dict[int, Ill] = field(default_factory=dict)
    seed: int = 1
    delay_s: float = 0.02
    now_s: float = 1_000.0

    def __post_init__(self) -> None:
        dice = Dice(self.seed)
        self.bank = Bank(self.count, dice, ills=self.ills)
        self.entries = self.bank.entries(of_address("192.0.2.1", 4_210))
        self.line = BankLine(self.bank, lambda: self.now_s, delay_s=self.delay_s)
        self.driver = LineDriver(self.entries, self.line, entropy=dice.entropy("station"))
        self.clusters = Clusters(self.entries, self.driver, listed=len(self.entries))

    def run(self, seconds: float) -> None:
        """Looks whenever the clusters want to be looked after."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.clusters.look(self.now_s)
            wait_s = self.clusters.wait_s(self.now_s, float("inf"))
            self.now_s = min(until_s, self.now_s + max(wait_s, 0.05))
        self.clusters.look(self.now_s)

    def talk(self, seconds: float = 6.0) -> list[Said]:
        """The driver alone: everything that clusters say in this time."""
        said, until_s = [], self.now_s + seconds
        while self.now_s < until_s:
            said += self.driver.poll(self.now_s)
            self.now_s += 0.1
        return said + self.driver.poll(self.now_s)

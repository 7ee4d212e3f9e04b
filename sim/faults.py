"""Every chance in the simulator is a keyed roll: hash(seed, station, kind, k), never a shared stream's next.

So a decision depends on nothing but its own name: take a station or a fault out of a run and every other
decision stays as it was. That is what makes a failing run shrink (`--only`, `--without`) instead of becoming
another run. `Rates` holds how often each fault comes; a seed draws its own rates around the base ("swarm":
some runs have no cuts at all and much loss, others the reverse), because a bug may need one fault to be rare
and another to be frequent.

Bound: what a fault *does* is written where it strikes (link, players, power, world); here is only whether
and when.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields, replace

DAY_S = 86_400.0


class Dice:
    """`roll` gives [0, 1); `hit` decides a fault, counts it and honours the faults taken out by hand.

    without: names of faults that do not strike: `kind` (nowhere), `station:kind`, `station:kind:k`.
    """

    def __init__(self, seed: int, *, without: Collection[str] = ()) -> None:
        self.seed = seed
        self.fired: Counter[str] = Counter()
        self._without = frozenset(without)
        self._prefix = f"loa-sim/{seed}/".encode()

    def roll(self, station: str, kind: str, k: int) -> float:
        digest = hashlib.blake2b(self._prefix + f"{station}/{kind}/{k}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / (1 << 53)

    def hit(self, station: str, kind: str, k: int, rate: float) -> bool:
        if rate <= 0.0 or self.roll(station, kind, k) >= rate:
            return False
        if self._without and self._without & {kind, f"{station}:{kind}", f"{station}:{kind}:{k}"}:
            return False
        self.fired[kind] += 1
        return True

    def between(self, low: float, high: float, station: str, kind: str, k: int) -> float:
        return low + (high - low) * self.roll(station, kind, k)

    def below(self, bound: int, station: str, kind: str, k: int) -> int:
        """A whole number in [0, bound)."""
        return int(self.roll(station, kind, k) * bound)

    def rng(self, name: str) -> random.Random:
        """A generator of its own for one entity, for the jitter the product itself draws."""
        return random.Random(f"loa-sim/{self.seed}/{name}")  # noqa: S311 — jitter, and it must repeat

    def entropy(self, name: str) -> Callable[[int], bytes]:
        """The machine's randomness for one process: the same name gives the same stream."""
        prefix = self._prefix + b"entropy/" + name.encode() + b"/"
        count = 0

        def draw(size: int) -> bytes:
            nonlocal count
            count += 1
            return hashlib.shake_256(prefix + str(count).encode()).digest(size)

        return draw


@dataclass(frozen=True)
class Rates:
    """How often. Of a request, a sound or a boot: a probability. `*_per_day`: expected count a day."""

    drop_request: float = 0.06
    drop_reply: float = 0.06
    cut_reply: float = 0.02
    cut_request: float = 0.01
    flip_reply: float = 0.01
    flip_request: float = 0.01
    duplicate: float = 0.04
    stale_reply: float = 0.01
    portal: float = 0.02
    gateway: float = 0.01
    hang: float = 0.02
    slow: float = 0.05
    down_per_day: float = 1.0
    deaf_per_day: float = 0.3
    power_cut_per_day: float = 1.0
    cut_in_play: float = 0.05
    clock_lost: float = 0.3
    device: float = 0.01
    old_image_per_day: float = 0.06
    resumed_per_day: float = 0.05
    hub_crash_per_day: float = 1.5
    hub_restore_per_day: float = 0.35

    def scaled(self, factor: float) -> Rates:
        """Every rate times `factor` (0: a run without faults)."""
        return Rates(
            **{field.name: _bounded(field.name, getattr(self, field.name) * factor) for field in fields(self)}
        )


def swarm(dice: Dice, base: Rates) -> Rates:
    """The rates of this seed: each base rate times one of 0, ½, 1, 2 by a roll of its own."""
    factors = (0.0, 0.5, 1.0, 1.0, 2.0)
    chosen = {
        field.name: _bounded(
            field.name, float(getattr(base, field.name)) * factors[dice.below(5, "", "rate", i)]
        )
        for i, field in enumerate(fields(base))
    }
    return replace(base, **chosen)


def _bounded(name: str, rate: float) -> float:
    """A line that loses everything tests nothing: probabilities stay at one half, counts at one an hour."""
    return min(rate, 24.0 if name.endswith("_per_day") else 0.5)


def moments(
    dice: Dice, station: str, kind: str, per_day: float, start_s: float, end_s: float
) -> list[tuple[int, float]]:
    """When a fault of an expected daily count strikes in [start, end): (k, time) in order of time.

    k runs over fixed ten-minute cells since `start_s`, each with its own roll, so that a longer or shorter
    run, or another rate elsewhere, leaves the moments it shares with this one where they are.
    """
    cell_s = 600.0
    rate = per_day * cell_s / DAY_S
    found = []
    for k in range(int((end_s - start_s) // cell_s) + 1):
        at = start_s + cell_s * (k + dice.roll(station, kind + "/when", k))
        if at < end_s and dice.hit(station, kind, k, rate):
            found.append((k, at))
    return found

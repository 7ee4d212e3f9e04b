"""How fast the simulator is: station-days of the real hub and stations a second of processor time.

Two runs of one setting, each in a process of its own: with Ed25519, and with a stand-in that hashes instead
of signing, so that what everything besides the signatures costs can be seen. A station-day is one station's
broadcast day; the hours before the first and after the last are run as well and not counted.

Where the time goes is sampled by the processor's own timer: each sample belongs to the innermost of our
files on the stack, or to the library that it had called. SQLite's time is that of the statement's author;
the fuse that the simulator puts before each statement is looked through. Memory is what the process grew by,
at its largest, over the number of stations; the hub and the content are in it.

Bound: measuring. What is run is `sim.run`.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from pathlib import Path
from types import FrameType
from typing import Any, Final

STATIONS: Final = 20
DAYS: Final = 3
SAMPLE_S: Final = 0.004  # of processor time: a few thousand samples, and a two-hundredth of it to take them
REAL: Final = ("hub", "ledger", "node")
_ROOT: Final = Path(__file__).parents[2]
_FUSE: Final = "sim/power.py"


def measure(seed: int, stations: int = STATIONS, days: int = DAYS) -> dict[str, Any]:
    """One JSON object. Raises RuntimeError when a promise was broken: then there is nothing to measure."""
    found: dict[str, Any] = {"stations": stations, "days": days}
    signed = _in_a_process(seed, stations, days, "ed25519")
    stand_in = _in_a_process(seed, stations, days, "stand-in")
    found |= {
        "station_days_per_s": signed["station_days_per_s"],
        "station_days_per_s_stand_in": stand_in["station_days_per_s"],
        "kb_per_station": signed["kb_per_station"],
        "cpu_s": signed["cpu_s"],
        "signatures_made": signed["signatures_made"],
        "signatures_verified": signed["signatures_verified"],
        "share": signed["share"],
        "trace": signed["trace"],
    }
    return found


def _in_a_process(seed: int, stations: int, days: int, signer: str) -> dict[str, Any]:
    argv = [sys.executable, "-m", "sim.bench.sim", str(seed), str(stations), str(days), signer]
    ran = subprocess.run(argv, capture_output=True, text=True, cwd=_ROOT)
    if ran.returncode:
        raise RuntimeError(f"the simulator did not come to its end: {ran.stderr.strip()[-400:]}")
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return told


def once(seed: int, stations: int, days: int, signer: str) -> dict[str, Any]:
    """One run in this process. signer: "ed25519" or "stand-in"."""
    import logging

    import hub
    import node
    from sim.run import Setting, run

    logging.getLogger("loa").addHandler(logging.NullHandler())
    assert hub.Hub is not None  # loaded by now, so that neither time nor memory of loading counts
    assert node.Station is not None
    shares = Shares()
    before_kb = _memory_kb("VmRSS")
    with _counting(stand_in=signer == "stand-in") as counted, shares.taken():
        began_s = time.process_time()
        report = run(Setting(seed=seed, stations=stations, days=days, scenario="plain"))
        cpu_s = time.process_time() - began_s
    if report.broken is not None:
        raise RuntimeError(f"{report.broken.invariant}: {report.broken.what}; {report.setting.command()}")
    return {
        "station_days_per_s": round(report.station_days / cpu_s, 2),
        "kb_per_station": round((_memory_kb("VmHWM") - before_kb) / stations),
        "cpu_s": round(cpu_s, 2),
        "signatures_made": counted["made"],
        "signatures_verified": counted["verified"],
        "share": shares.found(),
        "trace": report.trace,
    }


class Shares:
    """Samples whose code the processor is in."""

    def __init__(self) -> None:
        self._samples: Counter[str] = Counter()

    @contextmanager
    def taken(self) -> Iterator[None]:
        before = signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_S, SAMPLE_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def found(self) -> dict[str, float]:
        """Percent: `real` code of ours, `libraries` it is made with, and the `simulator` around them."""
        whole = max(1, self._samples.total())
        names = ("real", "libraries", "simulator")
        return {name: round(100 * self._samples[name] / whole, 1) for name in names}

    def _sample(self, _: int, frame: FrameType | None) -> None:
        self._samples[owner_of(frame)] += 1


def owner_of(frame: FrameType | None) -> str:
    """Whose time a moment with this stack is."""
    library = False
    while frame is not None:
        owner = _owner_of_file(frame.f_code.co_filename)
        if owner == "libraries":
            library = True
        elif owner:
            return "libraries" if library else owner
        frame = frame.f_back
    return "simulator"


@cache
def _owner_of_file(name: str) -> str:
    """`real`, `simulator` or `libraries`; "" for what works for whoever called it."""
    path = Path(name)
    if "site-packages" in path.parts:
        return "libraries"
    if not path.is_relative_to(_ROOT) or path.relative_to(_ROOT).as_posix() == _FUSE:
        return ""
    return "real" if path.relative_to(_ROOT).parts[0] in REAL else "simulator"


@contextmanager
def _counting(*, stand_in: bool) -> Iterator[Counter[str]]:
    """Counts signatures; stand_in: makes and checks them by hashing, of the same length."""
    from ledger.log import SignatureError, SigningKey, VerifyKey, keys

    counted: Counter[str] = Counter()
    real_sign, real_verify, real_head = SigningKey.sign, VerifyKey.verify, keys._verify_head

    def sign(self: SigningKey, prefix: bytes, message: bytes) -> bytes:
        counted["made"] += 1
        return _hashed(self.verify_key, prefix, message) if stand_in else real_sign(self, prefix, message)

    def verify(self: VerifyKey, prefix: bytes, message: bytes, signature: bytes) -> None:
        if not stand_in:
            before = real_head.cache_info().hits
            real_verify(self, prefix, message, signature)
            counted["verified"] += real_head.cache_info().hits == before
        elif signature != _hashed(self, prefix, message):
            raise SignatureError("signature-bad", "not this stand-in's", where=self.key_id.hex())

    SigningKey.sign, VerifyKey.verify = sign, verify  # type: ignore[method-assign]
    try:
        yield counted
    finally:
        SigningKey.sign, VerifyKey.verify = real_sign, real_verify  # type: ignore[method-assign]


def _hashed(key: Any, prefix: bytes, message: bytes) -> bytes:
    return blake2b(key.raw + prefix + message, digest_size=64).digest()


def _memory_kb(line: str) -> int:
    status = dict(one.split(":", 1) for one in Path("/proc/self/status").read_text().splitlines())
    return int(status[line].split()[0])


if __name__ == "__main__":
    seed, stations, days = map(int, sys.argv[1:4])
    print(json.dumps(once(seed, stations, days, sys.argv[4])))

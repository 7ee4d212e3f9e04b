"""Whether what a microphone hears is what is being played: a match of loudness curves in three bands.

Both sides are measured alike (`mpv_ears`): the level of each band, 25 times a second. Of the played sound and
of the heard sound these curves are all that ever reaches this module; no word can be understood from them.

    reference   what the player decodes    level in dB of 400–800, 800–1500 and 1500–2800 Hz, each 40 ms
    capture     what the device hears      the same
    window      8 s of the reference, every 4 s; compared with the capture from 1 s earlier to 6 s later
    r           the mean over the bands of the normalised correlation, at the best delay
    clarity     how many standard deviations the best delay's r lies above the mean of all other delays
    heard       a window with r > 0.35 and clarity > 5, or with r > 0.35 at about the delay known by then;
                an item of which half the windows are, at about one delay

Normalised means that volume, distance and gain do not matter. A delay is searched because devices buffer,
amplifiers wake up and sound travels; each window finds its own, so that two clocks may drift apart. Any two
people who read aloud pause alike, so a high r is not enough: of the right item one delay stands out. A
reference that does not move (a steady tone, silence) can be matched with anything, so it is not judged.

Bound: numbers in, numbers out. The specification is docs/spec/heard.md; the figures are measured in
decision 0024.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from statistics import fmean, median
from typing import Final

BANDS: Final = ((400, 800), (800, 1500), (1500, 2800))
FRAME_S: Final = 0.04
WINDOW: Final = 200  # frames: 8 s
STRIDE: Final = 100
LAG_MIN: Final = -25  # frames: both sides are dated by when they came, and these give something to compare
LAG_MAX: Final = 150
NEAR: Final = 8  # around the delay found last: tried first, and what counts as one delay
EDGE: Final = 5  # a match is as wide as a syllable: so much around it is no other delay
LAGS_MIN: Final = 50  # other delays, to say that one stands out
HEARD_R: Final = 0.35
CLARITY: Final = 5.0
FLOOR_DB: Final = 30.0  # what lies further below the loudest is the noise of devices
SILENT_DB: Final = -85.0  # a capture below this all along holds nothing
MOVES_DB: Final = 2.0  # standard deviation from which on a band of the reference can be recognised
STILL_DB: Final = 0.25  # and up to which a capture holds no curve at all
BANDS_MIN: Final = 2
# A source that stays behind by more than this has a hole. On a busy machine levels come late and then all at
# once: only after three seconds, or three seconds behind, are they lost.
SLIP: Final = 12
PATIENCE: Final = 75
AHEAD: Final = 150
# Never more than this is kept of either side (a minute), whatever the other one does.
KEEP: Final = 1_500

Levels = tuple[float, float, float]


class Curve:
    """Levels on a grid of 40 ms of monotonic time, with holes where nothing came. ahead: frames that may lie
    in the future (a player decodes before it sounds).
    """

    def __init__(self, *, ahead: int) -> None:
        self.first = self.end = 0
        self._ahead = ahead
        self._bands: tuple[list[float], ...] = ([], [], [])
        self._holes: list[tuple[int, int]] = []
        self._late_from: int | None = None

    def add(self, frames: Sequence[Levels], now_mono_s: float, *, anew: bool = False) -> None:
        """Frames that have just come, the newest last. anew: they do not continue what came before."""
        if not frames:
            return
        now = round(now_mono_s / FRAME_S)
        if self.first == self.end == 0:
            # What was captured lies behind us; what was decoded is still to sound.
            self.first = self.end = now if self._ahead else now - len(frames)
        late = now - (self.end + len(frames))
        if late <= SLIP:
            self._late_from = None
        elif self._late_from is None:
            self._late_from = now
        lost = self._late_from is not None and now - self._late_from > PATIENCE
        if late > PATIENCE or lost or (anew and late > 0):
            self._hole(late)
            self._late_from = None
        elif late < -self._ahead - PATIENCE:
            # Faster than time. Less than that only means that the first ones had come late.
            frames = frames[: max(0, now + self._ahead + PATIENCE - self.end)]
        for frame in frames:
            for band, level in zip(self._bands, frame, strict=True):
                band.append(level)
        self.end += len(frames)
        self.forget_before(self.end - KEEP)

    def past_holes(self, first: int, length: int) -> int:
        """The first frame from `first` on that `length` frames without a hole can begin at."""
        first = max(first, self.first)
        for begin, after in self._holes:
            if begin < first + length and after > first:
                first = after
        return first

    def whole_until(self, first: int, end: int) -> int:
        """How far it is here from `first` on, at most to `end`."""
        if first < self.first:
            return first
        holes = [begin for begin, after in self._holes if after > first and begin < end]
        return max(first, min(end, self.end, *holes))

    def levels(self, band: int, first: int, end: int) -> list[float]:
        """The levels of one band in [first, end)."""
        return self._bands[band][first - self.first : end - self.first]

    def forget_before(self, frame: int) -> None:
        """Only what is still to be compared is kept."""
        gone = min(max(0, frame - self.first), self.end - self.first)
        for band in self._bands:
            del band[:gone]
        self.first += gone
        self._holes = [hole for hole in self._holes if hole[1] > self.first]

    def _hole(self, frames: int) -> None:
        if frames > LAG_MAX + WINDOW + STRIDE:  # longer than anything that is compared: begin afresh
            self.first = self.end = self.end + frames
            self._holes.clear()
            for band in self._bands:
                band.clear()
            return
        self._holes.append((self.end, self.end + frames))
        for band in self._bands:
            band.extend([-math.inf] * frames)
        self.end += frames


@dataclass(frozen=True)
class Match:
    """The best correlation of a window (−1 … 1), the delay in frames at which it lay, and how far it stood
    out from the other delays, in their standard deviations (0 when there were too few of them).
    """

    r: float
    lag: int
    clarity: float


@dataclass(frozen=True)
class Verdict:
    """windows: how many could be judged. matched: how many of them were heard, at about one delay.

    r: the median of the matched ones, 0 without any. lag_s: the delay they had.
    """

    windows: int
    matched: int
    r: float
    lag_s: float

    @property
    def heard(self) -> bool:
        return self.matched > 0 and 2 * self.matched >= self.windows

    @property
    def missed(self) -> bool:
        """Judged, and nothing of it was there: the amplifier, a cable, or the microphone."""
        return self.windows > 0 and self.matched == 0


class Ear:
    """Compares, window by window, while an item sounds. Work: at most one window a call of `listen`."""

    def __init__(self) -> None:
        self.reference = Curve(ahead=AHEAD)
        self.capture = Curve(ahead=0)
        self._at = 0
        self._lag: int | None = None
        self._found: list[Match] = []
        self._windows = 0

    def listen(self) -> None:
        """Judges the next window, when all of it can be."""
        at = self._next()
        if at + WINDOW <= self.reference.end and at + WINDOW + LAG_MAX <= self.capture.end:
            self._judge(at, last=False)
            self._at = at + STRIDE
            self.reference.forget_before(self._at)
            self.capture.forget_before(self._at + LAG_MIN)

    def verdict(self) -> Verdict:
        """What is known at the end. Windows for which the capture ends too early count only when heard."""
        while (at := self._next()) + WINDOW <= self.reference.end:
            self._judge(at, last=at + WINDOW + LAG_MAX > self.capture.end)
            self._at = at + STRIDE
        if not self._found:
            return Verdict(self._windows, 0, 0.0, 0.0)
        agreed = _agreeing(self._found)
        lag = median(match.lag for match in agreed)
        return Verdict(self._windows, len(agreed), median(match.r for match in agreed), lag * FRAME_S)

    def _next(self) -> int:
        """Where the next window begins: what is interrupted is judged before and behind the interruption."""
        return self.reference.past_holes(self._at, WINDOW)

    def _judge(self, at: int, *, last: bool) -> None:
        curve = Shape.of([self.reference.levels(band, at, at + WINDOW) for band in range(len(BANDS))])
        if curve is None:
            return
        found = self._search(curve, at)
        if found is None:
            return
        if found.r > HEARD_R:
            self._windows += 1
            self._found.append(found)
            self._lag = found.lag
        elif not last:
            self._windows += 1

    def _search(self, curve: Shape, at: int) -> Match | None:
        """The best delay; r 0 when it is not good enough. None when there is too little capture for any."""
        if self._lag is not None:
            near = self._best(curve, at, max(LAG_MIN, self._lag - NEAR), min(LAG_MAX, self._lag + NEAR))
            if near is not None and near.r > HEARD_R:
                return near
        found = self._best(curve, at, LAG_MIN, LAG_MAX)
        if found is None or found.clarity > CLARITY:
            return found
        return Match(0.0, found.lag, found.clarity)

    def _best(self, curve: Shape, at: int, low: int, high: int) -> Match | None:
        first = max(at + low, self.capture.first)
        end = self.capture.whole_until(first, at + high + WINDOW)
        if end - first < WINDOW:
            return None
        found = curve.best([self.capture.levels(band, first, end) for band in range(len(BANDS))])
        return Match(found.r, first + found.lag - at, found.clarity)


@dataclass(frozen=True)
class Shape:
    """A window of the reference, ready to be looked for: per band its levels about zero, of length one."""

    bands: tuple[tuple[int, list[float]], ...]

    @classmethod
    def of(cls, levels: Sequence[Sequence[float]]) -> Shape | None:
        """levels: per band WINDOW levels in dB. None when fewer than two bands move."""
        bands = []
        for band, raw in enumerate(levels):
            values = floored(raw)
            mean = sum(values) / len(values)
            about = [value - mean for value in values]
            size = math.sqrt(sum(map(mul, about, about)))
            if size >= MOVES_DB * math.sqrt(len(values)):
                bands.append((band, [value / size for value in about]))
        return cls(tuple(bands)) if len(bands) >= BANDS_MIN else None

    def best(self, levels: Sequence[Sequence[float]]) -> Match:
        """levels: per band at least WINDOW levels of the capture. The best match; lag: where it begins."""
        count = len(levels[0]) - WINDOW + 1
        total = [0.0] * count
        for band, shape in self.bands:
            values = floored(levels[band])
            sums = [0.0, *accumulate(values)]
            squares = [0.0, *accumulate(map(mul, values, values))]
            for at in range(count):
                around = sums[at + WINDOW] - sums[at]
                spread = (squares[at + WINDOW] - squares[at]) - around * around / WINDOW
                if spread > STILL_DB * STILL_DB * WINDOW:
                    total[at] += sum(map(mul, shape, values[at : at + WINDOW])) / math.sqrt(spread)
        top = max(range(count), key=total.__getitem__)
        return Match(total[top] / len(self.bands), top, _clarity(total, top))


def floored(levels: Iterable[float]) -> list[float]:
    """Levels in dB above the floor, which lies 30 dB below the loudest; all zero for silence."""
    known = list(levels)
    loudest = max(known)
    if not loudest > SILENT_DB:
        return [0.0] * len(known)
    floor = max(loudest - FLOOR_DB, SILENT_DB)
    return [level - floor if level > floor else 0.0 for level in known]


def _clarity(total: Sequence[float], top: int) -> float:
    others = [value for at, value in enumerate(total) if abs(at - top) > EDGE]
    if len(others) < LAGS_MIN:
        return 0.0
    mean = fmean(others)
    spread = math.sqrt(fmean([(value - mean) ** 2 for value in others]))
    return (total[top] - mean) / spread if spread > 0 else 0.0


def _agreeing(found: Sequence[Match]) -> list[Match]:
    """The largest group of matches whose delay moved little from one to the next: two clocks drift, echoes
    jump. At least one.
    """
    best: list[Match] = []
    for start in found:
        lag, group = start.lag, []
        for match in found:
            if abs(match.lag - lag) <= NEAR:
                group.append(match)
                lag = match.lag
        if len(group) > len(best):
            best = group
    return best

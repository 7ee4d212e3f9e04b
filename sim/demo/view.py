"""How the demo looks: a live table on a terminal, sparse lines elsewhere, the same words in both.

The table is made for 80 columns and uses more where there is more. State is a sign and a word, never a colour
alone. What is counted comes from the hub's ledger (`watch`); what the lines and processes do comes from
the proxy and the supervisor. Bound: it draws what it is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TextIO

from ledger.facts import UTC_OFFSET_S, Outcome
from sim.demo.watch import Reading, StationTally

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

NEWS_LINES = 7
WIDE = 100
GRID_MAX = 110
"""Columns of the table at most: wider, the eye loses the line."""
REFRESH_HZ = 4
LINE_EVERY_S = 3_600
"""Story seconds between two sparse lines."""

WORDS: dict[str, dict[str, str]] = {
    "vi": {
        "title": "LOA · Yên Bái · Ngày Pháp luật 9/11/2022",
        "station": "Trạm",
        "state": "Tình trạng",
        "played": "đúng giờ",
        "late": "trễ",
        "part": "dở",
        "lost": "lỡ",
        "other": "khác",
        "last": "lần cuối",
        "simulated": "{} trạm mô phỏng",
        "total": "Cộng",
        "online": "● thông",
        "offline": "◌ mất mạng",
        "dark": "× mất điện",
        "hub": "Hub (tiến trình {})",
        "hub_down": "Hub đang khởi động lại",
        "events": "sự kiện",
        "segments": "đoạn đã ký",
        "up": "lên",
        "down": "xuống",
        "faults": "lỗi đường truyền",
        "emergency": "khẩn cấp đã phát",
        "fm": "+ {} trạm FM",
    },
    "en": {
        "title": "LOA · Yên Bái · Law Day, 9 November 2022",
        "station": "Station",
        "state": "State",
        "played": "on time",
        "late": "late",
        "part": "part",
        "lost": "missed",
        "other": "other",
        "last": "last",
        "simulated": "{} simulated",
        "total": "All",
        "online": "● on line",
        "offline": "◌ no line",
        "dark": "× no power",
        "hub": "hub (process {})",
        "hub_down": "hub is starting again",
        "events": "events",
        "segments": "signed segments",
        "up": "up",
        "down": "down",
        "faults": "line faults",
        "emergency": "emergency heard",
        "fm": "+ {} FM stations",
    },
}


@dataclass
class Picture:
    """One moment. named: (unit, name, pid or 0) of the real nodes; simulated: units; dark, offline: units."""

    clock_s: float
    speed: float
    hub_pid: int
    named: Sequence[tuple[str, str, int]]
    simulated: Sequence[str]
    dark: set[str]
    offline: set[str]
    reading: Reading
    fm: int = 0
    up: int = 0
    down: int = 0
    faults: int = 0


class Screen(Protocol):
    """Whatever the day is shown on."""

    def show(self, picture: Picture) -> None: ...

    def tell(self, clock_s: float, text: str) -> None:
        """A piece of news, once."""

    def close(self) -> None: ...


def local_time(utc_s: float, seconds: bool = False) -> str:
    """ "17:03" or "17:03:21" of the local day."""
    second = int(utc_s + UTC_OFFSET_S) % 86_400
    text = f"{second // 3600:02d}:{second // 60 % 60:02d}"
    return f"{text}:{second % 60:02d}" if seconds else text


def size(count: int) -> str:
    """Bytes for people: 812 B, 45 kB, 3.4 MB."""
    if count < 10_000:
        return f"{count} B"
    return f"{count / 1_000:,.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"


def counts(tally: StationTally) -> tuple[int, int, int, int, int]:
    """On time, late, in part, missed, anything else."""
    got = tally.outcomes
    played, late, missed = got[Outcome.PLAYED], got[Outcome.PLAYED_LATE], got[Outcome.MISSED]
    part = got[Outcome.PARTIAL] + got[Outcome.INTERRUPTED]
    return played, late, part, missed, got.total() - played - late - part - missed


class Lines:
    """For pipes and logs: the news, and one line an hour of the story."""

    def __init__(self, out: TextIO, lang: str) -> None:
        self._out, self._words = out, WORDS[lang]
        self._next_s: float | None = None

    def show(self, picture: Picture) -> None:
        if self._next_s is None:
            self._next_s = picture.clock_s - picture.clock_s % LINE_EVERY_S
        if picture.clock_s < self._next_s:
            return
        self._next_s = picture.clock_s - picture.clock_s % LINE_EVERY_S + LINE_EVERY_S
        self._print(picture.clock_s, status_line(picture, self._words))

    def tell(self, clock_s: float, text: str) -> None:
        self._print(clock_s, text)

    def close(self) -> None:
        self._out.flush()

    def _print(self, clock_s: float, text: str) -> None:
        print(f"{local_time(clock_s)}  {text}", file=self._out, flush=True)


def status_line(picture: Picture, words: dict[str, str]) -> str:
    """The whole province in one line."""
    everybody = _sum(picture.reading.stations.values())
    played, late, part, lost, other = counts(everybody)
    acknowledged = {"played": played, "late": late, "part": part, "lost": lost, "other": other}
    trouble = {"offline": len(picture.offline), "dark": len(picture.dark)}
    return " · ".join(
        (
            ", ".join(f"{words[name]} {count}" for name, count in acknowledged.items()),
            ", ".join(f"{words[name]} {count}" for name, count in trouble.items()),
            f"{words['up']} {size(picture.up)}, {words['down']} {size(picture.down)}",
        )
    )


@dataclass
class Table:
    """The live table. Everything is drawn anew at each show()."""

    lang: str
    console: Console | None = None
    _news: deque[str] = field(default_factory=lambda: deque(maxlen=NEWS_LINES))

    def __post_init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self.console = self.console or Console()
        self._words = WORDS[self.lang]
        self._live = Live(console=self.console, refresh_per_second=REFRESH_HZ, transient=False)
        self._live.start()

    def show(self, picture: Picture) -> None:
        self._live.update(self.draw(picture))

    def tell(self, clock_s: float, text: str) -> None:
        self._news.append(f" {local_time(clock_s)}  {text}")

    def close(self) -> None:
        self._live.stop()

    def draw(self, picture: Picture) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        words, console = self._words, self.console
        assert console is not None
        head = Text()
        head.append(f" {words['title']}", style="bold")
        head.append(
            f"   {local_time(picture.clock_s, seconds=True)} +07  ×{picture.speed:,.0f}", style="bold cyan"
        )
        hub = words["hub"].format(picture.hub_pid) if picture.hub_pid else words["hub_down"]
        seen = picture.reading
        foot = Text(
            f" {hub} · {seen.events:,} {words['events']} · {seen.segments:,} {words['segments']}\n"
            f" {words['up']} {size(picture.up)} · {words['down']} {size(picture.down)} · "
            f"{words['faults']} {picture.faults}"
        )
        if seen.emergency_series:
            heard = f" · {words['emergency']} {len(seen.emergency_heard)}/{self._all(picture)}"
            foot.append(heard, style="bold red")
        news = Text(
            "\n".join([*self._news, *[""] * (NEWS_LINES - len(self._news))]), style="dim", no_wrap=True
        )
        news.overflow = "ellipsis"
        return Group(
            head, self._table(picture, console.width), self._strip(picture, console.width), foot, news
        )

    def _all(self, picture: Picture) -> int:
        return len(picture.named) + len(picture.simulated)

    def _table(self, picture: Picture, width: int) -> RenderableType:
        from rich import box
        from rich.table import Table as Grid

        words = self._words
        grid = Grid(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False, width=min(width, GRID_MAX))
        grid.add_column(words["station"], ratio=3, no_wrap=True)
        grid.add_column(words["state"], ratio=3, no_wrap=True)
        for name in ("played", "late", "part", "lost", "other"):
            grid.add_column(words[name], justify="right", no_wrap=True)
        if width >= WIDE:
            grid.add_column(words["last"], justify="right", no_wrap=True)
        stations = picture.reading.stations
        for unit, name, pid in picture.named:
            label = f"{name} ({pid or '–'})"
            tally = stations.get(unit, StationTally())
            grid.add_row(*self._cells(label, self._state(picture, unit), tally, width))
        tally = _sum(stations[unit] for unit in picture.simulated if unit in stations)
        up = len(picture.simulated) - len(picture.dark & set(picture.simulated))
        out = len(picture.offline & set(picture.simulated) - picture.dark)
        state = f"{words['online'].split()[0]} {up - out}  ◌ {out}  × {len(picture.simulated) - up}"
        grid.add_row(*self._cells(words["simulated"].format(len(picture.simulated)), state, tally, width))
        everybody = self._cells(
            words["total"], words["fm"].format(picture.fm), _sum(stations.values()), width
        )
        grid.add_row(*everybody, style="bold")
        return grid

    def _cells(self, label: str, state: str, tally: StationTally, width: int) -> list[str]:
        cells = [label, state, *(str(count) for count in counts(tally))]
        if width >= WIDE:
            cells.append(local_time(tally.last_at_s) if tally.last_at_s else "")
        return cells

    def _state(self, picture: Picture, unit: str) -> str:
        if unit in picture.dark:
            return self._words["dark"]
        return self._words["offline" if unit in picture.offline else "online"]

    def _strip(self, picture: Picture, width: int) -> RenderableType:
        """One sign for each simulated station."""
        from rich.text import Text

        signs = max((min(width, GRID_MAX) - 2) // 2, 1)  # a line

        strip = Text()
        for number, unit in enumerate(picture.simulated):
            strip.append("\n " if number and number % signs == 0 else " ")
            if unit in picture.dark:
                strip.append("×", style="bold red")
            elif unit in picture.offline:
                strip.append("◌", style="yellow")
            else:
                strip.append("●", style="green")
        return strip


def _sum(tallies: Iterable[StationTally]) -> StationTally:
    total = StationTally()
    for tally in tallies:
        total.outcomes.update(tally.outcomes)
        total.last_at_s = max(total.last_at_s, tally.last_at_s)
    return total

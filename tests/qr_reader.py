"""Reads a printed symbol as a telephone does: its SVG as pixels, through zbar, which knows nothing of us."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

needs_zbar = pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbarimg is not installed")
PIXELS = 6  # of a module


def pixels_of(svg: str) -> tuple[int, list[list[bool]]]:
    """(modules of a side, whether each is dark) of a symbol drawn with strokes from left to right."""
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])  # type: ignore[index]
    dark = [[False] * side for _ in range(side)]
    x, y = 0, 0.0
    for kind, numbers in re.findall(r"([Mmh])([0-9.\- ]+)", re.search(r' d="([^"]+)"', svg)[1]):  # type: ignore[index]
        values = [float(one) for one in numbers.split()]
        if kind == "h":
            for at in range(x, x + int(values[0])):
                dark[int(y - 0.5)][at] = True
            x += int(values[0])
        else:
            x, y = (0, 0.0) if kind == "M" else (x, y)
            x, y = x + int(values[0]), y + values[1]
    return side, dark


def read_symbol(svg: str, folder: Path) -> str:
    """What the symbol says. AssertionError when it is none."""
    side, dark = pixels_of(svg)
    rows = (bytes(0 if one else 255 for one in row for _ in range(PIXELS)) for row in dark)
    image = b"".join(row * PIXELS for row in rows)
    path = folder / "symbol.pgm"
    path.write_bytes(b"P5 %d %d 255\n" % (side * PIXELS, side * PIXELS) + image)
    done = subprocess.run(
        ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(path)],
        capture_output=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().rstrip("\n")


def symbols_of(html: str) -> list[str]:
    return re.findall(r"<svg .*?</svg>", html, re.DOTALL)

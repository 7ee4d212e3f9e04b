"""The verifier page: the specification once more, in JavaScript, for a browser that never saw a hub.

`page.html` works as it lies here, from a file and without a network; `page()` makes one small file of it that
can be handed on. The scripts share no line with the Python readers and are held to the same vectors in a real
browser, in both forms (tests/test_verifier_browser.py). fzstd.js is somebody else's: see NOTICE.

Bound: text in, text out. The squeezing knows our scripts (strings in "" or ``, one statement never hangs on a
space) and is no general tool.
"""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
VENDORED = "fzstd.js"  # taken as it is
_SCRIPT = re.compile(r'<script src="([a-z]+\.js)"></script>\n?')
_STYLE = re.compile(r"(<style>)(.*?)(</style>)", re.DOTALL)
_POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")[^"]*(">)')
_STRICT = '"use strict";'
_TEXT = re.compile(r'("(?:[^"\\\n]|\\.)*"|`[^`]*`|(?<!\S)// .*$)', re.MULTILINE)


def page() -> str:
    """The page with its scripts inside, and a policy that lets these scripts run and nothing load."""
    text = (HERE / "page.html").read_text("utf-8")
    names = _SCRIPT.findall(text)
    codes = {name: (HERE / name).read_text("utf-8") for name in names}
    ours = "\n".join(codes[name].replace(_STRICT, "", 1) for name in names if name != VENDORED)
    scripts = [codes[VENDORED], f"{_STRICT}{squeezed(ours)}"]
    digests = [base64.b64encode(sha256(code.encode()).digest()).decode() for code in scripts]
    inside = "".join(f"<script>{code}</script>" for code in scripts)
    text = _SCRIPT.sub("", text).replace("</body>", inside + "</body>")
    text = _STYLE.sub(lambda style: style[1] + _close(style[2], "{};:,") + style[3], text)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; form-action 'none'"
    return _POLICY.sub(lambda found: f"{found[1]}{policy}{found[2]}", text)


def squeezed(code: str) -> str:
    """A script without comments, indentation and the spaces that only eyes need; its texts untouched."""
    parts = _TEXT.split(code)
    parts[1::2] = ["" if part.startswith("//") else part for part in parts[1::2]]
    parts[::2] = [_close(part, "=(),;:{}?<>|&[]+-*") for part in parts[::2]]
    return "".join(parts).strip()


def _close(text: str, around: str) -> str:
    """Lines joined to what they hang on: no spaces around these signs, no empty lines, no indentation."""
    text = re.sub(r"\n\s*", "\n", text)
    text = re.sub(r"([;{,(=&|?:])\n|\n(?=[)}\]])", r"\1", text)
    return re.sub(rf" *([{re.escape(around)}]) *", r"\1", text)

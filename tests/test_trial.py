"""The trial on a bare Debian types what the how-tos say: a line that is changed in one place fails here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TRIAL = ROOT / "tests" / "debian" / "trial.sh"
# What a new root needs from the page, word for word. Enrolling and founding have options of their own there.
TYPED = re.compile(
    r"sudo (apt-get|useradd|install -d|python3|/opt/\S+/pip|ln|systemctl (daemon|enable)) ?\S*.*"
)


@pytest.mark.parametrize("page", ["run-a-station.md", "set-up-the-hub.md"])
def test_the_trial_types_the_first_block_of_the_page(page: str) -> None:
    text = (ROOT / "docs" / "how-to" / page).read_text("utf-8")
    block = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)[0]
    lines = [line.replace("'", '"') for line in block.splitlines() if TYPED.fullmatch(line)]
    assert len(lines) >= 8, lines
    typed = {line.strip().rstrip("'\"") for line in TRIAL.read_text("utf-8").splitlines()}
    assert [line for line in lines if line.rstrip("'\"") not in typed] == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed here")
def test_bash_can_read_the_trial() -> None:
    done = subprocess.run(["bash", "-n", str(TRIAL)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")

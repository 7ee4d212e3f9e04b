"""Removes the checks of the strict readers one at a time and asks the tests whether they noticed.

    ./dev mutants                     every reader of foreign bytes, about ten minutes
    ./dev mutants segment codec       some of them

A mutant is a copy of one module with one thing taken out: an `if … : raise`, one operand of an `or` or
`and` in its condition, or a statement that only calls something. The golden vectors run first, then all
tests of ledger/. A mutant that nothing notices is a survivor. Those in EQUIVALENT change nothing that
anybody can see, each for the reason given; any other ends the run with exit code 1.

Not part of the suite: it runs the suite some hundred times.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOG = ROOT / "ledger" / "log"
READERS = (
    "codec", "keys", "merkle", "segment", "proof", "chain", "forks", "receipts", "messages", "enrol",
    "transit", "varint", "arrivals", "bundle", "blobs",
)  # fmt: skip
VECTORS_FIRST = sorted((ROOT / "tests" / "ledger").glob("test_vectors*.py"))
SECONDS_MAX = 600  # for one run of tests; a mutant that hangs is noticed

# (module, what was taken out): why no test could notice.
_SKIPPABLE = "a skippable frame is refused by its magic, or since it holds less than it declares"
_DICTIONARY = "the library refuses a frame for whose dictionary it was given none, with the same code"
EQUIVALENT: dict[tuple[str, str], str] = {
    ("transit", "data[:4] != b'(\\xb5/\\xfd' or frame.dict_id"): f"{_SKIPPABLE}; {_DICTIONARY}",
    ("transit", "data[:4] != b'(\\xb5/\\xfd'"): _SKIPPABLE,
    ("transit", "frame.dict_id"): _DICTIONARY,
    ("transit", "len(plain) != frame.content_size"): _SKIPPABLE,
    ("arrivals", "key is None"): "the request was verified with this very key; only the types ask again",
}


class _Taker(ast.NodeTransformer):
    """Takes out the number-th removable thing; `taken` says what it was."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.seen = -1
        self.taken = ""

    def _is_it(self, what: ast.AST) -> bool:
        self.seen += 1
        if self.seen == self.number:
            self.taken = f"{ast.unparse(what)}"
        return self.seen == self.number

    def visit_If(self, node: ast.If) -> ast.AST:
        if any(isinstance(inner, ast.Raise) for inner in node.body):
            if self._is_it(node.test):
                node.test = ast.Constant(value=False)
                return node
            node.test = self._weaker(node.test)
        self.generic_visit(node)
        return node

    def _weaker(self, test: ast.expr) -> ast.expr:
        """A condition for refusing, less one of its operands: it refuses less."""
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
            for at, operand in enumerate(test.values):
                if self._is_it(operand):
                    rest = test.values[:at] + test.values[at + 1 :]
                    return rest[0] if len(rest) == 1 else ast.BoolOp(op=test.op, values=rest)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = test.operand
            if isinstance(inner, ast.BoolOp) and isinstance(inner.op, ast.And):
                for at, operand in enumerate(inner.values):
                    if self._is_it(operand):
                        rest = inner.values[:at] + inner.values[at + 1 :]
                        inner = rest[0] if len(rest) == 1 else ast.BoolOp(op=inner.op, values=rest)  # type: ignore[assignment]
                        return ast.UnaryOp(op=test.op, operand=inner)
        return test

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Call) and self._is_it(node.value):
            return ast.copy_location(ast.Pass(), node)
        return node


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """(what was taken out, the module without it), for each removable thing."""
    number = 0
    while True:
        taker = _Taker(number)
        tree = taker.visit(ast.parse(source))
        if not taker.taken:
            return
        yield taker.taken, ast.unparse(ast.fix_missing_locations(tree))
        number += 1


def noticed(copy: Path) -> bool:
    """Does any test fail in this copy of the house?"""
    env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    first = [str(path.relative_to(ROOT)) for path in VECTORS_FIRST]
    for tests in (first, ["tests/ledger", "tests/facts"]):
        argv = [sys.executable, "-m", "pytest", "-x", "-q", "--timeout", "120", "-p", "no:xdist", *tests]
        try:
            done = subprocess.run(
                argv, cwd=copy, env=env, timeout=SECONDS_MAX, capture_output=True, check=False
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return True
        if done.returncode != 0:
            return True
    return False


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(READERS))
    if unknown:
        print(f"no such reader: {', '.join(unknown)}; there are {', '.join(READERS)}", file=sys.stderr)
        return 2
    survivors = total = equivalent = 0
    with tempfile.TemporaryDirectory(prefix="loa-mutants-") as folder:
        copy = Path(folder) / "house"
        copy.mkdir()
        for part in ("ledger", "node", "hub", "sim", "tests", "docs"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        for part in ("pyproject.toml", "README.md", "dev"):
            shutil.copy(ROOT / part, copy / part)
        if noticed(copy):
            print("the tests fail without any mutation: mend that first", file=sys.stderr)
            return 2
        for name in names or READERS:
            source = (LOG / f"{name}.py").read_text("utf-8")
            place = copy / "ledger" / "log" / f"{name}.py"
            for taken, mutant in mutants(source):
                total += 1
                place.write_text(mutant, "utf-8")
                if noticed(copy):
                    continue
                why = EQUIVALENT.get((name, taken))
                equivalent += why is not None
                survivors += why is None
                print(f"{name}: without `{taken}`: {why or 'NOTHING NOTICED'}", flush=True)
            place.write_text(source, "utf-8")
            print(f"{name}: done, {total} mutants so far, {survivors} survive", flush=True)
    seen = total - survivors - equivalent
    print(f"{total} mutants: {seen} noticed, {equivalent} equivalent, {survivors} survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

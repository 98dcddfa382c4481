"""The dossier that a run of the tests writes: requirement, what proves it, and how that ended."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from trialimg import __version__

REQUIREMENTS = Path("docs/validation/requirements.yaml")
DOCUMENTS = Path("docs/compliance")
OUTCOMES = ("failed", "error", "skipped", "passed")
KEYS = {"id", "clause", "requirement", "proof", "risk", "severity"}
MORE_KEYS = {"documents", "open"}


@dataclass(frozen=True)
class Requirement:
    """One thing that has to be shown."""

    id: str
    clause: str
    requirement: str
    proof: str
    risk: str
    severity: str
    documents: tuple[str, ...] = ()
    open: str = ""


@dataclass(frozen=True)
class Row:
    """A requirement with every test that names it, and how each ended."""

    requirement: Requirement
    tests: Mapping[str, str] = field(default_factory=dict)
    """Node id to outcome."""

    @property
    def status(self) -> str:
        """Proved by the run, covered by a procedure, open with its reason, or none of these."""
        ended = set(self.tests.values())
        if ended & {"failed", "error"}:
            return "failed"
        if "passed" in ended:
            return "proved in part" if self.requirement.open else "proved"
        if self.requirement.open:
            return "open"
        return "procedural" if self.requirement.documents and not self.tests else "NOT COVERED"

    @property
    def is_covered(self) -> bool:
        return self.status not in ("failed", "NOT COVERED")


def read_requirements(root: Path) -> tuple[Requirement, ...]:
    """Every requirement, in order; a row that is not whole, or names a document that is not there, is an error."""
    found = yaml.safe_load((root / REQUIREMENTS).read_text(encoding="utf-8"))
    rows = []
    for given in found:
        if KEYS - set(given) or set(given) - KEYS - MORE_KEYS or not all(str(given[key]).strip() for key in given):
            raise ValueError(f"{given.get('id')}: a row has {', '.join(sorted(KEYS))}, and may have documents and open")
        documents = tuple(given.get("documents", ()))
        absent = [name for name in documents if not (root / DOCUMENTS / name).is_file()]
        if absent:
            raise ValueError(f"{given['id']}: there is no {DOCUMENTS / absent[0]}")
        rows.append(Requirement(**{**given, "documents": documents}))
    if len({row.id for row in rows}) < len(rows):
        raise ValueError("a requirement stands twice")
    return tuple(rows)


def rows_of(requirements: Iterable[Requirement], outcomes: Iterable[tuple[str, str, str]]) -> tuple[Row, ...]:
    """Requirements with their tests; the worst outcome of a test stands for it.

    Parameters
    ----------
    outcomes
        Requirement, node id, outcome.
    """
    tests: dict[str, dict[str, str]] = {}
    for requirement, node, outcome in outcomes:
        mine = tests.setdefault(requirement, {})
        mine[node] = min((outcome, mine.get(node, outcome)), key=OUTCOMES.index)
    known = tuple(requirements)
    strangers = sorted(set(tests) - {one.id for one in known})
    if strangers:
        raise ValueError(f"tests name requirements that are not in {REQUIREMENTS}: {', '.join(strangers)}")
    return tuple(Row(one, dict(sorted(tests.get(one.id, {}).items()))) for one in known)


def table(rows: Iterable[Row]) -> str:
    """Requirement, status, what proves it."""
    rows = tuple(rows)
    counts = ", ".join(f"{sum(row.status == word for row in rows)} {word}" for word in _statuses(rows))
    lines = [
        "# Requirements and what proves them",
        "",
        f"Written by the run of the tests of trialimg {__version__}. {len(rows)} requirements: {counts}.",
        "",
        "A row is *proved* when a test that names it passed and none failed, *proved in part* when something is still",
        "open beside that, *procedural* when a document covers it and no test does, *open* when only its reason is",
        "there.",
        "",
        "| id | requirement | status | tests, documents, what is open |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_line(row) for row in rows)]) + "\n"


def risk_table(rows: Iterable[Row]) -> str:
    """Requirement, what would happen without it, how bad that is, what controls it."""
    order = ("high", "medium", "low")
    lines = [
        "# Risk file",
        "",
        "Written by the run of the tests from the requirements: what would happen, how bad it is, what controls it,",
        "whether the control was seen to work in that run. How severities are given, and what follows from a control",
        "that fails: [risk management](../compliance/risk-management.md).",
        "",
        "| severity | risk | requirement | control | state of the control |",
        "|---|---|---|---|---|",
    ]
    ranked = sorted(rows, key=lambda row: order.index(row.requirement.severity))
    return "\n".join([*lines, *(_risk(row) for row in ranked)]) + "\n"


def marked(tests: Path) -> dict[str, list[str]]:
    """Requirement to the test functions that name it, read from the text of the tests without running them."""
    found: dict[str, list[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                for requirement in _named_by(node.decorator_list):
                    found.setdefault(requirement, []).append(f"{path.relative_to(tests).as_posix()}::{node.name}")
    return found


def _named_by(decorators: Iterable[ast.expr]) -> list[str]:
    calls = [one for one in decorators if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)]
    return [
        str(call.args[0].value)
        for call in calls
        if call.func.attr == "requirement" and call.args and isinstance(call.args[0], ast.Constant)  # type: ignore[attr-defined]
    ]


def _statuses(rows: tuple[Row, ...]) -> list[str]:
    order = ("proved", "proved in part", "procedural", "open", "failed", "NOT COVERED")
    return [word for word in order if any(row.status == word for row in rows)]


def _line(row: Row) -> str:
    one = row.requirement
    ended = Counter((node.partition("[")[0], outcome) for node, outcome in row.tests.items())
    parts = [f"`{name}` {f'{count} ' if count > 1 else ''}{outcome}" for (name, outcome), count in ended.items()]
    parts += [f"[{name.removesuffix('.md')}](../compliance/{name})" for name in one.documents]
    parts += [f"open: {one.open}"] * bool(one.open)
    wanted = f"{one.requirement} <br>*{one.proof}* ({one.clause})"
    return f"| {one.id} | {wanted} | {row.status} | {'<br>'.join(_cell(part) for part in parts)} |"


def _risk(row: Row) -> str:
    one = row.requirement
    passed = sum(outcome == "passed" for outcome in row.tests.values())
    controls = [f"{passed} of {len(row.tests)} tests passed"] if row.tests else []
    controls += [f"[{name.removesuffix('.md')}](../compliance/{name})" for name in one.documents]
    return f"| {one.severity} | {one.risk} | {one.id} {one.requirement} | {', '.join(controls) or '-'} | {row.status} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

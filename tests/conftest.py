"""What every test may ask for, and the table of what the tests prove."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of real images and reference answers; the test skips where it is absent."""
    folder = Path(os.environ.get("TRIALIMG_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}; set TRIALIMG_REFERENCE")
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL server of this run's own; the test skips where none is installed."""
    from tests.postgresql import running_server, why_absent

    if because := why_absent():
        pytest.skip(because)
    with running_server() as address:
        yield address


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """The address of a new, empty PostgreSQL database."""
    from tests.postgresql import new_database

    return new_database(postgresql_server)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--validation", metavar="FILE", help="write the table requirement, test, result (Markdown)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers("requirement"):
            item.user_properties.append(("requirement", marker.args[0]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    target = config.getoption("--validation")
    if target:
        path = Path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(validation_table(terminalreporter.stats))


def validation_table(stats: dict[str, list[pytest.TestReport]]) -> str:
    """One row for each requirement and test that names it; a test that was skipped proves nothing and says so."""
    rows = sorted(
        (requirement, report.nodeid, outcome)
        for outcome in ("passed", "failed", "error", "skipped")
        for report in stats.get(outcome, [])
        for name, requirement in report.user_properties
        if name == "requirement"
    )
    head = ["| requirement | test | result |", "|---|---|---|"]
    return (
        "\n".join([*head, *(f"| {requirement} | `{test}` | {outcome} |" for requirement, test, outcome in rows)]) + "\n"
    )

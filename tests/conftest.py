"""What every test may ask for, and the table of what the tests prove."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dossier import OUTCOMES, read_requirements, risk_table, rows_of, table

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
    parser.addoption(
        "--validation", metavar="FILE", help="write requirement, test, result (Markdown), and risks.md beside it"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers("requirement"):
            item.user_properties.append(("requirement", marker.args[0]))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the dossier; a run that leaves a requirement uncovered has failed, even if every test passed."""
    target = session.config.getoption("--validation")
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if target and reporter is not None and not hasattr(session.config, "workerinput"):
        rows = rows_of(read_requirements(ROOT), _outcomes(reporter.stats))
        path = Path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(table(rows), encoding="utf-8")
        path.with_name("risks.md").write_text(risk_table(rows), encoding="utf-8")
        if not all(row.is_covered for row in rows):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    target = config.getoption("--validation")
    if target:
        rows = rows_of(read_requirements(ROOT), _outcomes(terminalreporter.stats))
        bare = [f"{row.requirement.id} {row.status}" for row in rows if not row.is_covered]
        terminalreporter.write_line(f"validation: {len(rows)} requirements in {target}; uncovered: {bare or 'none'}")


def _outcomes(stats: dict[str, list[pytest.TestReport]]) -> list[tuple[str, str, str]]:
    """Requirement, test and outcome; a test that was skipped proves nothing and says so."""
    return [
        (requirement, report.nodeid, outcome)
        for outcome in OUTCOMES
        for report in stats.get(outcome, [])
        for name, requirement in getattr(report, "user_properties", ())  # a module that was skipped has none
        if name == "requirement"
    ]


@pytest.fixture(autouse=True)
def _main_stays() -> Iterator[None]:
    """A page that is tested takes the place of the main module, which new processes would then import."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before

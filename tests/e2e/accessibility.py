"""What axe-core finds on a page, where it is installed (`npm install --prefix tests/e2e`)."""

from __future__ import annotations

from pathlib import Path

import pytest

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


def serious_findings(page) -> list[str]:
    """Rules of axe-core that a page breaks seriously, with the first element of each; skips where axe is absent."""
    if not AXE.is_file():
        pytest.skip("no axe-core: npm install --prefix tests/e2e")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{one['id']}: {one['help']} ({one['nodes'][0]['html'][:200]}; {one['nodes'][0]['failureSummary'][:300]})"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]

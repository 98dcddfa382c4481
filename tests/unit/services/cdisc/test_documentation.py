"""The page of the datasets lists every variable, qualifier and check, as they are."""

from __future__ import annotations

from pathlib import Path

from trialimg.services.cdisc.conformance import RULES
from trialimg.services.cdisc.specification import DATASETS
from trialimg.services.cdisc.supplements import QUALIFIERS


def test_every_variable_qualifier_and_check_is_described(root: Path) -> None:
    page = (root / "docs" / "reference" / "cdisc.md").read_text(encoding="utf-8")
    wanted = {f"| {v.name} | {v.label} |" for spec in DATASETS.values() for v in spec.variables}
    wanted |= {f"| {name} | {label} |" for name, (label, _) in QUALIFIERS.items()}
    wanted |= {f"| {rule.id} | {rule.statement} |" for rule in RULES}
    assert {line for line in wanted if line not in page} == set()

"""What was noticed in the data: counts by site and code, and every finding with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from trialimg.adapters.exporters.report.grid import Grid
from trialimg.core.trial import Finding, Severity
from trialimg.services.results import TrialResult

__all__ = ["Quality", "QualityRow", "quality_of"]

NO_SITE = "no site"
MOST_ROWS = 300
"""Findings that are listed one by one."""
MOST_OF_A_KIND = 6
MOST_SITES = 6
"""Columns of sites that a page is wide enough for."""
_ORDER = {Severity.EXCLUDED: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True)
class QualityRow:
    """One finding in words."""

    severity: str
    code: str
    site: str
    subject: str
    timepoint: str
    where: str
    message: str


@dataclass(frozen=True)
class Quality:
    """All findings, the gravest first."""

    by_site: Grid
    rows: tuple[QualityRow, ...]
    """One by one; where there are very many, the first of each kind."""
    left_out: int = 0


def quality_of(result: TrialResult) -> Quality:
    """Findings by site and code, and one by one."""
    site_of = {s.subject.id: s.subject.site for s in result.subjects}

    def site(finding: Finding) -> str:
        return site_of.get(finding.subject) or NO_SITE

    findings = sorted(result.findings, key=lambda f: (_ORDER[f.severity], f.code, site(f), f.subject, f.where))
    counts = Counter((f.severity.value, f.code, site(f)) for f in findings)
    kinds = list(dict.fromkeys((f.severity.value, f.code) for f in findings))
    sites = sorted({site(f) for f in findings})
    rows = tuple((code, severity, *(str(counts[severity, code, s] or "") for s in sites)) for severity, code in kinds)
    shown = findings if len(findings) <= MOST_ROWS else _first_of_each(findings)
    listed = tuple(
        QualityRow(f.severity.value, f.code, site(f), f.subject, f.timepoint, f.where, f.message) for f in shown
    )
    left_out = len(findings) - len(shown)
    if len(sites) > MOST_SITES:
        totals = Counter((f.severity.value, f.code) for f in findings)
        of_sites = {(v, c): len({site(f) for f in findings if (f.severity.value, f.code) == (v, c)}) for v, c in kinds}
        rows = tuple((code, word, str(totals[word, code]), str(of_sites[word, code])) for word, code in kinds)
        return Quality(Grid(("Code", "Severity", "Findings", "Sites"), rows), listed, left_out)
    names = tuple(s if s == NO_SITE else f"Site {s}" for s in sites)
    return Quality(Grid(("Code", "Severity", *names), rows), listed, left_out)


def _first_of_each(findings: Sequence[Finding]) -> list[Finding]:
    """The first findings of each kind, in their order."""
    seen: Counter[str] = Counter()
    kept = []
    for finding in findings:
        seen[finding.code] += 1
        if seen[finding.code] <= MOST_OF_A_KIND:
            kept.append(finding)
    return kept

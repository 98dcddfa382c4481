"""What was noticed in the data: counts by site and code, and every finding with its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from trialimg.adapters.exporters.report.grid import Grid
from trialimg.core.trial import Finding, Severity
from trialimg.services.results import TrialResult

__all__ = ["Quality", "QualityRow", "quality_of"]

NO_SITE = "no site"
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
    listed = tuple(
        QualityRow(f.severity.value, f.code, site(f), f.subject, f.timepoint, f.where, f.message) for f in findings
    )
    names = tuple(s if s == NO_SITE else f"Site {s}" for s in sites)
    return Quality(Grid(("Code", "Severity", *names), rows), listed)

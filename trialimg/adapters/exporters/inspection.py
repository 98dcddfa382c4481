"""An inspection copy for people: every value, every audit line and every signature, as HTML and PDF."""

from __future__ import annotations

from pathlib import Path

from trialimg.adapters.exporters.charter import charter_html
from trialimg.adapters.exporters.rendering import environment, pdf_of
from trialimg.adapters.exporters.writing import write_whole
from trialimg.services.archive import CopiedRecord, CopiedVersion, InspectionCopy, electronic
from trialimg.services.differences import leaves
from trialimg.services.trials_charter import Charter

__all__ = ["InspectionFiles", "inspection_html", "inspection_pdf"]


class InspectionFiles:
    """`copy.html`, `copy.pdf` and `copy.json`; `charter.html` and `charter.pdf`."""

    def write(self, copy: InspectionCopy, charter: Charter, folder: Path) -> tuple[Path, ...]:
        """Write into an existing folder; the files written."""
        pages = {"copy": inspection_html(copy), "charter": charter_html(charter)}
        files = {f"{name}.html": html.encode() for name, html in pages.items()}
        files |= {f"{name}.pdf": pdf_of(html) for name, html in pages.items()}
        files["copy.json"] = electronic(copy)
        return tuple(write_whole(folder / name, data) for name, data in sorted(files.items()))


def inspection_html(copy: InspectionCopy) -> str:
    """The copy as one file that asks for nothing from outside of itself."""
    kinds = sorted({record.kind for record in copy.records})
    return (
        environment()
        .get_template("inspection.html.j2")
        .render(
            copy=copy,
            kinds=[(kind, [record for record in copy.records if record.kind == kind]) for kind in kinds],
            values_of=_values,
            by_version=_by_version,
        )
    )


def inspection_pdf(copy: InspectionCopy) -> bytes:
    """The copy in pages."""
    return pdf_of(inspection_html(copy))


def _values(record: CopiedRecord) -> list[tuple[str, str, bool]]:
    """Key, value now, and whether it changed since it was first entered; values that were taken away are shown too."""
    now = leaves(record.latest.body or {})
    changed = record.changed_since_entry
    gone = [(key, "(no longer there)", True) for key in sorted(changed - set(now))]
    return [*((key, text, key in changed) for key, text in now.items()), *gone]


def _by_version(version: CopiedVersion) -> list[tuple[str, str, str]]:
    """What a later version changed: key, before, after. The first version is shown as values, not as changes."""
    if version.version == 1:
        return []
    return [(one.key, one.before or "(not there)", one.after or "(not there)") for one in version.changed]

"""Where the report comes from, and how far it agrees with known answers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from trialimg.adapters.exporters.report.grid import Grid
from trialimg.adapters.exporters.report.standing import FROM_RECORDS
from trialimg.adapters.exporters.wording import counted, short_digest
from trialimg.core.digest import digest_of
from trialimg.services.results import TrialResult, TruthCheck

__all__ = ["Origin", "origin_of", "truth_grid"]


@dataclass(frozen=True)
class Origin:
    """What went in and what it was worked on with."""

    facts: tuple[tuple[str, str], ...]
    inputs: Grid | None
    """Files by their top folder, each group with one digest over its names and digests; None: no files went in."""


def origin_of(result: TrialResult) -> Origin:
    """Inputs, software and model, digests abridged; the manifest has them whole."""
    provenance = result.provenance
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for name, digest in sorted(provenance.inputs.items()):
        groups[name.partition("/")[0]][name] = digest
    rows = tuple(
        (group, str(len(files)), short_digest(files[group] if group in files else digest_of(files)))
        for group, files in groups.items()
    )
    facts = [
        ("Activity", provenance.activity),
        ("Software", provenance.software),
        ("Protocol digest", result.protocol_digest),
        *(_of_records(result) if provenance.activity == FROM_RECORDS else _of_files(result)),
    ]
    if provenance.at:
        facts.append(("Time", provenance.at))
    return Origin(tuple(facts), Grid(("Folder or file", "Files", "Digest"), rows) if rows else None)


def _of_files(result: TrialResult) -> tuple[tuple[str, str], ...]:
    inputs = result.provenance.inputs
    return (
        ("Model", result.provenance.model or "none: the method has no trained model"),
        ("Inputs", f"{counted(len(inputs), 'file')}, {digest_of(dict(inputs))} over all"),
    )


def _of_records(result: TrialResult) -> tuple[tuple[str, str], ...]:
    """A review was read by people: what went in is what they signed."""
    used = result.provenance.parameters
    locked = str(used["hash"]) or "none: the records as they were when this report was made"
    return (("Data cut", str(used["data_cut"])), ("Hash of the locked results", locked))


def truth_grid(truth: TruthCheck) -> Grid:
    """Measured agreement, figure by figure."""
    rows = (
        ("Lesion measurements compared", str(truth.lesions_compared)),
        ("Median absolute error of the long axis", f"{truth.median_abs_long_axis_error_mm:.2f} mm"),
        ("… in voxels (larger in-plane edge)", f"{truth.median_abs_long_axis_error_voxels:.2f}"),
        ("95th percentile of that error", f"{truth.p95_abs_long_axis_error_mm:.2f} mm"),
        ("Median error of the volume", f"{truth.median_volume_error_pct:.1f} %"),
        ("Responses compared", str(truth.responses_compared)),
        ("Responses equal", f"{truth.responses_equal} of {truth.responses_compared}"),
    )
    return Grid(("Figure", "Measured"), rows)

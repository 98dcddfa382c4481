"""How sure a segmenter is of the lesion that was asked for, and what it rests on: facts, and files with maps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from trialimg.core.prompts import Prompt
    from trialimg.services.ports import Segmenter
    from trialimg.services.uncertainty import Spread, Uncertainty
    from trialimg.volume import Volume

__all__ = ["Asked", "evidence", "print_evidence"]


@dataclass(frozen=True)
class Asked:
    """What is wanted beside the mask."""

    uncertainty: bool
    explain: Path | None
    """Folder for maps."""
    explain_by: str


def evidence(segmenter: Segmenter, image: Volume, prompt: Prompt, asked: Asked) -> dict[str, Any]:
    """What is known of the answer beside the mask; maps go into the folder, if there is one."""
    from trialimg import bootstrap
    from trialimg.services.uncertainty import UncertaintySettings, uncertainty_of

    facts: dict[str, Any] = {}
    maps: dict[str, Volume] = {}
    knowing = bootstrap.probabilistic(segmenter) if asked.uncertainty else None
    explaining = bootstrap.explainable(segmenter) if asked.explain is not None else None
    if knowing is not None:
        settings = UncertaintySettings()
        found = uncertainty_of(knowing, image, prompt, settings)
        facts["uncertainty"] = {**_facts(found), "settings": settings}
        maps["entropy"] = found.entropy
    if explaining is not None and asked.explain is not None:
        maps["explanation"] = explaining.explanation(image, prompt, method=asked.explain_by)
        facts["explanation"] = {"method": asked.explain_by}
        bootstrap.make_folder(asked.explain)
        facts["files"] = [str(path) for path in bootstrap.write_evidence(asked.explain, maps, facts)]
    return facts


def _facts(found: Uncertainty) -> dict[str, Any]:
    """Everything but the voxels."""
    return {
        "volume_ml": found.volume_ml,
        "long_axis_mm": found.long_axis_mm,
        "expected_volume_ml": found.expected_volume_ml,
        "expected_long_axis_mm": found.expected_long_axis_mm,
        "experience": found.experience,
        "agreement": found.agreement,
        "mean_entropy_bits": found.mean_entropy,
        "runs": found.runs,
        "empty_runs": found.empty_runs,
        "flag": found.flag,
    }


def print_evidence(facts: dict[str, Any]) -> None:
    """A few lines for a person."""
    said = facts.get("uncertainty")
    if said is not None:
        click.echo(f"long axis: {_spread(said['long_axis_mm'], 'mm')}; volume: {_spread(said['volume_ml'], 'ml')}")
        known, axis, volume = said["experience"], said["expected_long_axis_mm"], said["expected_volume_ml"]
        if known is not None and axis is not None and volume is not None:
            click.echo(
                f"the true values, for {100 * known.share:.0f} % of lesions like the {known.answers} known ones: "
                f"long axis {axis.lower:.1f} to {axis.upper:.1f} mm, volume {volume.lower:.1f} to {volume.upper:.1f} ml"
            )
        click.echo(f"agreement of {said['runs']} runs: {said['agreement']:.3f}")
        flag = said["flag"]
        click.echo(f"a person has to look: {'; '.join(flag.reasons)}" if flag.needs_person else "no flag")
    for path in facts.get("files", ()):
        click.echo(path)


def _spread(spread: Spread | None, unit: str) -> str:
    if spread is None:
        return "no lesion"
    return f"{spread.value:.1f} {unit}, runs {spread.lower:.1f} to {spread.upper:.1f}"

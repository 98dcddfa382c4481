"""`trialimg analyse censoring|central`: endpoints from tables of responses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.analyse_output import CONFIDENCE, give_document
from trialimg.cli.output import json_option

if TYPE_CHECKING:
    from trialimg.core.trial import Subject
    from trialimg.endpoints.settings import EndpointSettings

__all__ = ["censoring", "central"]

_FILE = click.Path(path_type=Path)
_SUBJECTS = click.option("--subjects", type=_FILE, required=True, help="Arm, reference date and end of every subject.")
_SCHEDULE = click.option("--schedule", type=_FILE, help="Planned assessments: visit, day, first_day, last_day.")
_PROFILE = click.option("--profile", default="recist11_table3", show_default=True, help="Rules of the best response.")


@click.command("censoring")
@click.argument("responses", type=_FILE)
@_SUBJECTS
@_SCHEDULE
@_PROFILE
@CONFIDENCE
@json_option
def censoring(
    responses: Path, subjects: Path, schedule: Path | None, profile: str, confidence: float, as_json: bool
) -> None:
    """Progression-free survival by the FDA's and the EMA's censoring, side by side."""
    from trialimg.cli.respond_output import read_text
    from trialimg.services.analyse_endpoints import censoring_document

    everyone, settings = _frame(subjects, schedule, profile)
    table = (read_text(responses), str(responses))
    document = censoring_document(table, everyone, settings, confidence=confidence)
    give_document(document, "censoring", as_json=as_json)


@click.command("central")
@click.argument("central_responses", metavar="CENTRAL", type=_FILE)
@click.argument("investigator_responses", metavar="INVESTIGATOR", type=_FILE)
@_SUBJECTS
@_SCHEDULE
@_PROFILE
@click.option("--tolerance", "tolerance_days", type=click.IntRange(0), default=0, show_default=True, help="Days.")
@CONFIDENCE
@json_option
def central(
    central_responses: Path,
    investigator_responses: Path,
    subjects: Path,
    schedule: Path | None,
    profile: str,
    tolerance_days: int,
    confidence: float,
    as_json: bool,
) -> None:
    """Central against investigator reading: best response, date of progression, hazard ratio from each."""
    from trialimg.cli.respond_output import read_text
    from trialimg.services.analyse_endpoints import central_document

    everyone, settings = _frame(subjects, schedule, profile)
    tables = [(read_text(path), str(path)) for path in (central_responses, investigator_responses)]
    document = central_document(
        tables[0], tables[1], everyone, settings, confidence=confidence, tolerance_days=tolerance_days
    )
    give_document(document, "central", as_json=as_json)


def _frame(subjects: Path, schedule: Path | None, profile: str) -> tuple[list[Subject], EndpointSettings]:
    from dataclasses import replace

    from trialimg.cli.respond_output import read_text
    from trialimg.endpoints.settings import PROFILES
    from trialimg.services.annotations import read_subjects
    from trialimg.services.respond_subjects import read_schedule

    if profile not in PROFILES:
        raise click.UsageError(f"there is no profile {profile!r}; known: {', '.join(PROFILES)}")
    settings = PROFILES[profile]
    if schedule is not None:
        settings = replace(settings, schedule=read_schedule(read_text(schedule), str(schedule)))
    return list(read_subjects(read_text(subjects), str(subjects))), settings

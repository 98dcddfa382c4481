"""`trialimg respond`: responses and endpoints from tables, with their reasons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import json_option
from trialimg.cli.respond_output import give, read_text, write_whole

if TYPE_CHECKING:
    from trialimg.endpoints.settings import EndpointSettings
    from trialimg.services.respond import Judged

__all__ = ["respond"]

_FILE = click.Path(path_type=Path)
_OUT = click.option("--out", type=_FILE, help="Write the CSV to this file instead of stdout.")
_CRITERION = click.option("--criterion", default="recist11", show_default=True, help="Response criterion.")
_SET = click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Override a setting; repeatable.")
_ASSESSMENTS = click.option("--assessments", type=_FILE, help="Facts of timepoints (FDG-PET, tumour markers ...).")
_BASELINE = click.option("--baseline", metavar="NAME", help="Name of the baseline timepoint, where it is not BL.")


@click.group("respond")
def respond() -> None:
    """Derive responses and endpoints from tables of lesions or responses, and say why."""


@respond.command("timepoint")
@click.argument("lesions", type=_FILE)
@_CRITERION
@_SET
@_ASSESSMENTS
@_BASELINE
@_OUT
@json_option
def timepoint(
    lesions: Path,
    criterion: str,
    changes: tuple[str, ...],
    assessments: Path | None,
    baseline: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Response at every follow-up from a table of LESIONS, one row per lesion and timepoint.

    A table with any fault is refused whole: every fault with its line, exit 2, nothing written.
    """
    from trialimg.core.settings import shown
    from trialimg.services.respond import timepoint_rows

    judged, rules = _judged(lesions, criterion, changes, assessments, baseline)
    findings = [finding for one in judged for finding in one.findings]
    if not as_json:
        for finding in findings:
            click.echo(f"{lesions}: note: {finding.where}: {finding.message} [{finding.code}]", err=True)
    about = {"criterion": criterion, "settings": shown(rules), "findings": findings}
    give("timepoints", timepoint_rows(judged), about, as_json=as_json, out=out)


@respond.command("explain")
@click.argument("lesions", type=_FILE)
@_CRITERION
@_SET
@_ASSESSMENTS
@_BASELINE
@click.option("--subject", help="Only this subject.")
@click.option("--timepoint", "only", help="Only this timepoint.")
@click.option("--out", type=_FILE, help="Write the text to this file instead of stdout.")
@json_option
def explain(
    lesions: Path,
    criterion: str,
    changes: tuple[str, ...],
    assessments: Path | None,
    baseline: str | None,
    subject: str | None,
    only: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Why each response in a table of LESIONS is what it is, in sentences with the numbers."""
    from trialimg.cli.output import print_json
    from trialimg.services.respond_explain import explained, explanation_text

    judged, rules = _judged(lesions, criterion, changes, assessments, baseline)
    reasons = explained(judged, criterion, rules, subject=subject, timepoint=only)
    if out is not None:
        write_whole(out, explanation_text(reasons))
    if as_json:
        print_json(reasons)
    elif out is None:
        click.echo(explanation_text(reasons), nl=False)


@respond.command("overall")
@click.argument("triples", type=_FILE)
@_CRITERION
@_OUT
@json_option
def overall(triples: Path, criterion: str, out: Path | None, as_json: bool) -> None:
    """Overall response from TRIPLES of target, non-target and new lesion."""
    from trialimg.criteria.registry import criterion as named
    from trialimg.services.respond import overall_rows

    rows = overall_rows(read_text(triples), str(triples), named(criterion))
    give("overall", rows, {"criterion": criterion}, as_json=as_json, out=out)


@respond.command("subject")
@click.argument("responses", type=_FILE)
@click.option("--subjects", type=_FILE, help="Reference, death, last contact and new therapy dates of every subject.")
@click.option("--profile", default="recist11_table3", show_default=True, help="recist11_table3, eortc or admiralonco.")
@click.option("--ref-start-window", type=int, help="Days from the reference date before which SD does not count.")
@click.option("--ref-confirm", type=int, help="Days between a response and its confirmation.")
@click.option("--max-ne", type=int, help="NE tolerated between a response and its confirmation.")
@click.option("--accept-sd", is_flag=True, help="Tolerate one SD between a PR and its confirmation.")
@click.option("--censoring", type=click.Choice(["fda", "ema"]), help="Whose censoring rules.")
@click.option("--schedule", type=_FILE, help="Planned assessments: visit, day, first_day, last_day.")
@_SET
@_OUT
@json_option
def subject(
    responses: Path,
    subjects: Path | None,
    schedule: Path | None,
    changes: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Best response and endpoints of every subject from a table of RESPONSES (subject, date, response)."""
    from trialimg.core.settings import shown
    from trialimg.services.annotations import read_subjects
    from trialimg.services.respond_subjects import read_responses, subject_rows, summarise_subjects

    everyone = read_subjects(read_text(subjects), str(subjects)) if subjects is not None else None
    settings = _endpoint_settings(options, changes, schedule)
    table = read_responses(read_text(responses), str(responses), everyone)
    if everyone is None:
        click.echo(f"{responses}: note: no --subjects, so no reference date: SD and times cannot be judged", err=True)
    rows = subject_rows(summarise_subjects(table, everyone, settings))
    give("subjects", rows, {"settings": shown(settings)}, as_json=as_json, out=out)


def _judged(
    lesions: Path, name: str, changes: tuple[str, ...], assessments: Path | None, baseline: str | None
) -> tuple[tuple[Judged, ...], Any]:
    from trialimg.core.settings import overridden
    from trialimg.criteria.registry import criterion
    from trialimg.services.respond import judge
    from trialimg.services.respond_facts import read_facts
    from trialimg.services.respond_lesions import read_lesions

    wanted = criterion(name)
    rules = overridden(wanted.rules, _pairs(changes))
    readings = read_lesions(read_text(lesions), str(lesions), baseline=baseline)
    facts = None
    if assessments is not None:
        facts = read_facts(read_text(assessments), str(assessments), wanted, readings)
    return judge(readings, wanted, rules, facts=facts), rules


def _endpoint_settings(options: dict[str, Any], changes: tuple[str, ...], schedule: Path | None) -> EndpointSettings:
    from dataclasses import replace

    from trialimg.core.settings import overridden
    from trialimg.endpoints.settings import PROFILES
    from trialimg.services.respond_subjects import read_schedule

    profile = options["profile"]
    if profile not in PROFILES:
        raise click.UsageError(f"there is no profile {profile!r}; known: {', '.join(PROFILES)}")
    named = {
        "min_sd_days": options["ref_start_window"],
        "confirmation_days": options["ref_confirm"],
        "max_ne": options["max_ne"],
        "accept_sd": options["accept_sd"] or None,
        "censoring": options["censoring"],
    }
    given = {name: value for name, value in named.items() if value is not None}
    settings = overridden(PROFILES[profile], {**_pairs(changes), **given})
    return (
        settings if schedule is None else replace(settings, schedule=read_schedule(read_text(schedule), str(schedule)))
    )


def _pairs(changes: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for change in changes:
        key, sign, value = change.partition("=")
        if not sign or not key.strip():
            raise click.UsageError(f"--set {change!r} is not KEY=VALUE")
        if key.strip() in pairs:
            raise click.UsageError(f"--set {key.strip()} stands twice")
        pairs[key.strip()] = value.strip()
    return pairs

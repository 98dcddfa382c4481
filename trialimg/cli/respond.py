"""`trialimg respond`: responses and endpoints from tables, with their reasons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import json_option
from trialimg.cli.respond_output import give, read_text, write_whole

if TYPE_CHECKING:
    from trialimg.core.trial import Finding
    from trialimg.endpoints.settings import EndpointSettings
    from trialimg.services.respond import Judged
    from trialimg.services.respond_lesions import SubjectReading

__all__ = ["respond"]

_FILE = click.Path(path_type=Path)
_OUT = click.option("--out", type=_FILE, help="Write the CSV to this file instead of stdout.")
_CRITERION = click.option("--criterion", default="recist11", show_default=True, help="Response criterion.")
_SET = click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Override a setting; repeatable.")
_ASSESSMENTS = click.option("--assessments", type=_FILE, help="Facts of timepoints (FDG-PET, tumour markers ...).")
_SDTM = click.option("--sdtm", type=_FILE, nargs=2, metavar="TU TR", help="SDTM tumour tables instead of LESIONS.")
_NODES = click.option("--nodes", type=_FILE, help="With --sdtm: which lesions are nodes (subject,lesion,location).")
_BASELINE = click.option("--baseline", metavar="NAME", help="Name of the baseline timepoint, where it is not BL.")


@click.group("respond")
def respond() -> None:
    """Derive responses and endpoints from tables of lesions or responses, and say why."""


@respond.command("timepoint")
@click.argument("lesions", type=_FILE, required=False)
@_SDTM
@_NODES
@_CRITERION
@_SET
@_ASSESSMENTS
@_BASELINE
@_OUT
@json_option
def timepoint(criterion: str, changes: tuple[str, ...], out: Path | None, as_json: bool, **source: Any) -> None:
    """Response at every follow-up from a table of LESIONS, one row per lesion and timepoint.

    A table with any fault is refused whole: every fault with its line, exit 2, nothing written. Of SDTM tables
    (--sdtm) rows that cannot be used are named on stderr and left out.
    """
    from trialimg.core.settings import shown
    from trialimg.services.respond import timepoint_rows

    judged, rules, unused = _judged(criterion, changes, **source)
    findings = [*unused, *(finding for one in judged for finding in one.findings)]
    if not as_json:
        name = source["lesions"] or "sdtm"
        for finding in findings:
            click.echo(f"{name}: note: {finding.where}: {finding.message} [{finding.code}]", err=True)
    about = {"criterion": criterion, "settings": shown(rules), "findings": findings}
    give("timepoints", timepoint_rows(judged), about, as_json=as_json, out=out)


@respond.command("explain")
@click.argument("lesions", type=_FILE, required=False)
@_SDTM
@_NODES
@_CRITERION
@_SET
@_ASSESSMENTS
@_BASELINE
@click.option("--subject", help="Only this subject.")
@click.option("--timepoint", "only", help="Only this timepoint.")
@click.option("--out", type=_FILE, help="Write the text to this file instead of stdout.")
@json_option
def explain(
    criterion: str,
    changes: tuple[str, ...],
    subject: str | None,
    only: str | None,
    out: Path | None,
    as_json: bool,
    **source: Any,
) -> None:
    """Why each response in a table of LESIONS is what it is, in sentences with the numbers."""
    from trialimg.cli.output import print_json
    from trialimg.services.respond_explain import explained, explanation_text

    judged, rules, _ = _judged(criterion, changes, **source)
    reasons = explained(judged, criterion, rules, subject=subject, timepoint=only)
    if out is not None:
        write_whole(out, explanation_text(reasons))
    if as_json:
        print_json(reasons)
    elif out is None:
        click.echo(explanation_text(reasons), nl=False)


@respond.command("growth")
@click.argument("lesions", type=_FILE, required=False)
@_SDTM
@_NODES
@_CRITERION
@_SET
@_BASELINE
@_OUT
@json_option
def growth(criterion: str, changes: tuple[str, ...], out: Path | None, as_json: bool, **source: Any) -> None:
    """Growth and regression rate of every subject's sum of diameters, from a table of LESIONS."""
    from trialimg.core.settings import shown
    from trialimg.services.respond_growth import growth_rows

    judged, rules, _ = _judged(criterion, changes, assessments=None, **source)
    about = {"criterion": criterion, "settings": shown(rules)}
    give("subjects", growth_rows(judged), about, as_json=as_json, out=out)


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
@click.option("--criterion", help="Whose words the responses are; without it, the family that knows most of them.")
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
    criterion: str | None,
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Best response and endpoints of every subject from a table of RESPONSES (subject, date, response).

    With --criterion what its paper asks for (confirmation, duration of stable disease) is set, and words of others
    are refused.
    """
    from trialimg.core.settings import shown
    from trialimg.services.annotations import read_subjects
    from trialimg.services.respond_subjects import odd_dates, read_responses, subject_rows, summarise_subjects

    everyone = read_subjects(read_text(subjects), str(subjects)) if subjects is not None else None
    settings = _endpoint_settings(criterion, **options)
    table = read_responses(read_text(responses), str(responses), everyone, criterion=criterion)
    if everyone is None:
        click.echo(f"{responses}: note: no --subjects, so no reference date: SD and times cannot be judged", err=True)
    findings = list(odd_dates(table, everyone or ()))
    if not as_json:
        for finding in findings:
            click.echo(f"{responses}: note: {finding.where}: {finding.message} [{finding.code}]", err=True)
    rows = subject_rows(summarise_subjects(table, everyone, settings))
    about = {"criterion": criterion, "settings": shown(settings), "findings": findings}
    give("subjects", rows, about, as_json=as_json, out=out)


def _judged(
    name: str, changes: tuple[str, ...], *, assessments: Path | None, **source: Any
) -> tuple[tuple[Judged, ...], Any, tuple[Finding, ...]]:
    """The answers, the rules in force, and what of the source could not be used."""
    from trialimg.core.settings import overridden
    from trialimg.criteria.registry import criterion
    from trialimg.services.respond import judge
    from trialimg.services.respond_dates import with_assessed_dates
    from trialimg.services.respond_facts import read_facts

    wanted = criterion(name)
    rules = overridden(wanted.rules, _pairs(changes))
    optional = assessments is not None and not wanted.needs_lesions
    readings, unused = _readings(optional=optional, **source)
    facts = None
    if assessments is not None:
        given = read_text(assessments), str(assessments)
        readings = with_assessed_dates(*given, wanted, readings, baseline=source["baseline"])
        facts = read_facts(*given, wanted, readings)
    return judge(readings, wanted, rules, facts=facts), rules, unused


def _readings(
    *, optional: bool, lesions: Path | None, baseline: str | None, sdtm: tuple[Path, Path] | None, nodes: Path | None
) -> tuple[tuple[SubjectReading, ...], tuple[Finding, ...]]:
    from trialimg.core.errors import Fault, ReadingError
    from trialimg.services.respond_lesions import read_lesions
    from trialimg.services.respond_sdtm import read_sdtm
    from trialimg.services.respond_sdtm_rows import Nodes, read_nodes, read_sdtm_rows

    if optional and lesions is None and sdtm is None:
        return (), ()
    if (lesions is None) is (sdtm is None):
        raise click.UsageError("give either a table of LESIONS, or --sdtm TU TR")
    if lesions is not None:
        if nodes is not None:
            raise click.UsageError("--nodes belongs to --sdtm; a table of LESIONS says itself what is nodal")
        return read_lesions(read_text(lesions), str(lesions), baseline=baseline, may_be_empty=optional), ()
    if baseline is not None:
        raise click.UsageError("--baseline is for a table of LESIONS; TU says at which visit lesions were identified")
    tu, tr = ((read_text(path), str(path)) for path in sdtm or ())
    listed = read_nodes(read_text(nodes), str(nodes)) if nodes is not None else Nodes("--nodes")
    found = read_sdtm(read_sdtm_rows(tu, tr), listed)
    if not found.readings:
        faults = tuple(Fault(finding.where, finding.code, finding.message) for finding in found.findings)
        raise ReadingError(f"{tu[1]} and {tr[1]}: there is nothing that can be judged", faults)
    return found.readings, found.findings


def _endpoint_settings(
    criterion: str | None, *, profile: str, changes: tuple[str, ...], schedule: Path | None, **options: Any
) -> EndpointSettings:
    from dataclasses import replace

    from trialimg.core.settings import overridden
    from trialimg.endpoints.settings import PROFILES
    from trialimg.endpoints.vocabulary import CRITERIA
    from trialimg.services.respond_subjects import read_schedule

    if profile not in PROFILES:
        raise click.UsageError(f"there is no profile {profile!r}; known: {', '.join(PROFILES)}")
    if criterion is not None and criterion not in CRITERIA:
        raise click.UsageError(f"there is no criterion {criterion!r}; known: {', '.join(CRITERIA)}")
    asked = CRITERIA[criterion].changes if criterion is not None else {}
    named = {
        "min_sd_days": options["ref_start_window"],
        "confirmation_days": options["ref_confirm"],
        "max_ne": options["max_ne"],
        "accept_sd": options["accept_sd"] or None,
        "censoring": options["censoring"],
    }
    given = {name: value for name, value in named.items() if value is not None}
    settings = overridden(replace(PROFILES[profile], **asked), {**_pairs(changes), **given})
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

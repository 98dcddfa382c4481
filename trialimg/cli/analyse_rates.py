"""`trialimg analyse rate|difference|cmh`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trialimg.cli.analyse_output import (
    BY,
    CONFIDENCE,
    DATA,
    EVENT,
    MISSING,
    OPTIONAL_DATA,
    STRATA,
    analysed,
    give_document,
    levels,
    names,
)
from trialimg.cli.output import json_option

__all__ = ["cmh", "difference", "rate"]

_COLUMN_EVENT = click.option("--event", metavar="COLUMN", help="1: event (response), 0: none.")


@click.command("rate")
@OPTIONAL_DATA
@_COLUMN_EVENT
@BY
@click.option("--x", "events", type=int, help="Subjects with the event, instead of a table.")
@click.option("--n", type=int, help="Subjects.")
@click.option("--method", default="clopper-pearson", show_default=True, help="clopper-pearson or wilson.")
@click.option("--null", "null_rate", type=float, help="Test the rate against this one, exactly.")
@CONFIDENCE
@MISSING
@json_option
def rate(
    data: Path | None,
    event: str | None,
    by: str | None,
    events: int | None,
    n: int | None,
    missing: str,
    as_json: bool,
    **options: Any,
) -> None:
    """A proportion with its limits: of column --event of DATA, or of --x in --n."""
    from trialimg.services.analyse_rates import rate_document
    from trialimg.services.analyse_table import Kind

    options["method"] = options["method"].replace("-", "_")
    if data is None:
        if events is None or n is None or event or by:
            raise click.UsageError("give either a table and --event, or --x and --n")
        give_document(rate_document(events, n, **options), "rate", as_json=as_json)
        return
    if event is None or events is not None or n is not None:
        raise click.UsageError("give either a table and --event, or --x and --n")
    wanted = {event: Kind.EVENT, **({by: Kind.WORD} if by else {})}
    chosen = analysed(data, wanted, missing)
    document = {
        **rate_document(sum(chosen.columns[event]), chosen.n, **options),
        "data_digest": chosen.digest,
    }
    if by:
        groups = []
        for level in levels(chosen, by):
            part = chosen.where([cell == level for cell in chosen.columns[by]])
            groups.append({"group": level, **rate_document(sum(part.columns[event]), part.n, **options)})
        document["groups"] = groups
    document["warnings"] += chosen.warnings
    give_document(document, "rate", as_json=as_json)


@click.command("difference")
@OPTIONAL_DATA
@_COLUMN_EVENT
@BY
@STRATA
@click.option("--x1", type=int, help="Subjects with the event in arm 1, instead of a table.")
@click.option("--n1", type=int, help="Subjects in arm 1.")
@click.option("--x2", type=int, help="Subjects with the event in arm 2.")
@click.option("--n2", type=int, help="Subjects in arm 2.")
@click.option(
    "--method",
    default="miettinen-nurminen",
    show_default=True,
    help="miettinen-nurminen, mee, newcombe, wald or wald-corrected.",
)
@click.option("--weights", default="cmh", show_default=True, help="Of strata: cmh, sample-size or equal.")
@CONFIDENCE
@MISSING
@json_option
def difference(
    data: Path | None,
    event: str | None,
    by: str | None,
    strata: str,
    missing: str,
    as_json: bool,
    **options: Any,
) -> None:
    """The rate of the first arm minus that of the second: of --event by --by in DATA, or of four counts.

    The first arm is the first by name. With --strata the differences are combined (Miettinen and Nurminen).
    """
    from trialimg.services.analyse_rates import difference_document
    from trialimg.stats.two_by_two import TwoByTwo

    counts = [options.pop(name) for name in ("x1", "n1", "x2", "n2")]
    options = {key: value.replace("-", "_") if isinstance(value, str) else value for key, value in options.items()}
    if data is None:
        if None in counts or event or by or strata:
            raise click.UsageError("give either a table with --event and --by, or --x1, --n1, --x2 and --n2")
        give_document(difference_document([TwoByTwo(*counts)], **options), "difference", as_json=as_json)
        return
    if event is None or by is None or counts != [None] * 4:
        raise click.UsageError("give either a table with --event and --by, or --x1, --n1, --x2 and --n2")
    tables, about = _tables(data, event, by, strata, missing)
    document = difference_document(tables, **options)
    document["warnings"] += about.pop("warnings")
    give_document({**document, **about}, "difference", as_json=as_json)


@click.command("cmh")
@DATA
@EVENT
@click.option("--by", required=True, metavar="COLUMN", help="The two arms.")
@STRATA
@CONFIDENCE
@MISSING
@json_option
def cmh(data: Path, event: str, by: str, strata: str, confidence: float, missing: str, as_json: bool) -> None:
    """Two arms compared across strata: Cochran-Mantel-Haenszel, common odds ratio and risk difference."""
    from trialimg.services.analyse_rates import cmh_document

    tables, about = _tables(data, event, by, strata, missing)
    document = cmh_document(tables, confidence=confidence)
    document["warnings"] += about.pop("warnings")
    give_document({**document, **about}, "cmh", as_json=as_json)


def _tables(data: Path, event: str, by: str, strata: str, missing: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    from trialimg.services.analyse_rates import tables_by_stratum
    from trialimg.services.analyse_table import Kind

    columns = names(strata)
    chosen = analysed(data, {event: Kind.EVENT, by: Kind.WORD, **dict.fromkeys(columns, Kind.WORD)}, missing)
    tables = tables_by_stratum(chosen, event=event, by=by, strata=columns)
    about = {"arms": " minus ".join(levels(chosen, by)), "data_digest": chosen.digest, "warnings": chosen.warnings}
    return tables, about

"""The trial's own endpoints compared: under two authorities' censoring, and from two readings of the same subjects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trialimg.core.errors import ReadingError
from trialimg.core.responses import BestOverallResponse
from trialimg.core.settings import shown
from trialimg.core.trial import Subject
from trialimg.endpoints.results import SubjectEndpoints
from trialimg.endpoints.settings import Censoring, EndpointSettings
from trialimg.services.analyse_rates import estimate_document
from trialimg.services.analyse_survival import median_row, term_document
from trialimg.services.respond_subjects import read_responses, summarise_subjects
from trialimg.stats.cox import Histories, cox
from trialimg.stats.design import design_of
from trialimg.stats.kappa import cohen_kappa, cross_table, gwet_ac1
from trialimg.stats.log_rank import log_rank
from trialimg.stats.rates import rate
from trialimg.stats.survival import kaplan_meier

__all__ = ["Discrepancies", "censoring_document", "central_document", "discrepancies"]

Document = dict[str, Any]
Judged = Sequence[tuple[Subject, SubjectEndpoints]]


def censoring_document(
    responses: tuple[str, str], subjects: Sequence[Subject], settings: EndpointSettings, *, confidence: float
) -> Document:
    """Progression-free survival by the FDA's and by the EMA's censoring, side by side.

    Parameters
    ----------
    responses
        Text and name of a table of responses.
    settings
        Everything but whose censoring.

    Raises
    ------
    ReadingError
        With every fault of the table; or where no subject's time can be counted.
    """
    table = read_responses(*responses, subjects)
    judged = {
        rules: summarise_subjects(table, subjects, replace(settings, censoring=rules))
        for rules in (Censoring.FDA, Censoring.EMA)
    }
    changed = []
    for (subject, fda), (_, ema) in zip(judged[Censoring.FDA], judged[Censoring.EMA], strict=True):
        one, other = fda.progression_free_survival, ema.progression_free_survival
        if one is not None and other is not None and (one.days, one.event) != (other.days, other.event):
            changed.append(
                {
                    "subject": subject.id,
                    "fda_days": one.days,
                    "fda_event": one.event,
                    "fda_reason": one.rule.sentence,
                    "ema_days": other.days,
                    "ema_event": other.event,
                    "ema_reason": other.rule.sentence,
                }
            )
    common = {key: value for key, value in shown(settings).items() if key != "censoring"}
    return {
        "n": len(subjects),
        "changed": len(changed),
        "rules": [{"censoring": rules.value, **_survival(found, confidence)} for rules, found in judged.items()],
        "subjects": changed,
        "settings": common,
    }


def _survival(judged: Judged, confidence: float) -> Document:
    """Progression-free survival of everyone and by arm, the test and the hazard ratio of the arms."""
    timed = [(s, found.progression_free_survival) for s, found in judged]
    known = [(s.arm, pfs.days, int(pfs.event)) for s, pfs in timed if pfs is not None]
    if not known:
        raise ReadingError(
            "no subject has a reference date and a response; progression-free survival cannot be counted"
        )
    arms = sorted({arm for arm, _, _ in known if arm})
    groups = [("all", known), *((arm, [row for row in known if row[0] == arm]) for arm in arms)]
    document: Document = {"n": len(known), "events": sum(event for _, _, event in known), "groups": []}
    for name, rows in groups:
        curve = kaplan_meier([d for _, d, _ in rows], [e for _, _, e in rows], label=name, confidence=confidence)
        document["groups"].append(median_row(curve))
    untimed = [s.id for s, pfs in timed if pfs is None]
    document["warnings"] = [f"untimed: no time can be counted for {', '.join(untimed)}; left out"] if untimed else []
    if len(arms) > 1:
        document |= _compared([row for row in known if row[0]], confidence, document["warnings"])
    return document


def _compared(rows: Sequence[tuple[str, int, int]], confidence: float, warnings: list[str]) -> Document:
    days, events, arms = [d for _, d, _ in rows], [e for _, _, e in rows], [a for a, _, _ in rows]
    found: Document = {}
    try:
        test = log_rank(days, events, arms)
        found["logrank"] = {"chi2": test.chi2, "df": test.df, "p": test.p}
        fit = cox(Histories(days, events), design_of({"arm ": arms}), confidence=confidence)
        found["terms"] = [term_document(term) for term in fit.terms]
        warnings += fit.warnings
    except ReadingError as refused:
        warnings.append(f"not_compared: {refused}")
    return found


@dataclass(frozen=True)
class Discrepancies:
    """How an investigator's progressions fall against the central ones; counts of subjects.

    References
    ----------
    Amit O, Mannino F, Stone AM, et al. Blinded independent central review of progression in cancer clinical trials:
    results from a meta-analysis. Eur J Cancer 2011.
    """

    same: int
    """Both call progression, on the same date (within the tolerance)."""
    later: int
    """Both, the investigator later."""
    earlier: int
    """Both, the investigator earlier."""
    investigator_only: int
    central_only: int
    neither: int

    @property
    def early_rate(self) -> float | None:
        """Of the investigator's progressions, those that the central review calls later or never (EDR)."""
        called = self.same + self.later + self.earlier + self.investigator_only
        return (self.investigator_only + self.earlier) / called if called else None

    @property
    def late_rate(self) -> float | None:
        """Of all discrepancies, those in which the investigator is the later one (LDR)."""
        odd = self.investigator_only + self.central_only + self.later + self.earlier
        return (self.central_only + self.later) / odd if odd else None


def discrepancies(
    central: Sequence[dt.date | None], investigator: Sequence[dt.date | None], *, tolerance_days: int = 0
) -> Discrepancies:
    """The dates of progression of the same subjects compared; None: no progression."""
    counts = dict.fromkeys(Discrepancies.__dataclass_fields__, 0)
    for ours, theirs in zip(central, investigator, strict=True):
        counts[_relation(ours, theirs, tolerance_days)] += 1
    return Discrepancies(**counts)


def _relation(central: dt.date | None, investigator: dt.date | None, tolerance_days: int) -> str:
    if central is None or investigator is None:
        only = "central_only" if central is not None else "investigator_only"
        return "neither" if central is None and investigator is None else only
    gap = (investigator - central).days
    if abs(gap) <= tolerance_days:
        return "same"
    return "later" if gap > 0 else "earlier"


def central_document(
    central: tuple[str, str],
    investigator: tuple[str, str],
    subjects: Sequence[Subject],
    settings: EndpointSettings,
    *,
    confidence: float,
    tolerance_days: int = 0,
) -> Document:
    """Central against investigator: best response, date of progression, hazard ratio from each.

    Parameters
    ----------
    central, investigator
        Text and name of a table of responses each.
    tolerance_days
        Two dates of progression no further apart are one.

    Raises
    ------
    ReadingError
        With every fault of a table.
    """
    both = {
        name: summarise_subjects(read_responses(*given, subjects), subjects, settings)
        for name, given in (("central", central), ("investigator", investigator))
    }
    best = {name: [found.best.response.value for _, found in judged] for name, judged in both.items()}
    dates = {name: [found.progression_date for _, found in judged] for name, judged in both.items()}
    arms = sorted({s.arm for s in subjects if s.arm})
    rows: list[Document] = []
    for group in ("all", *arms):
        kept = [i for i, s in enumerate(subjects) if group in ("all", s.arm)]
        picked = {name: [column[i] for i in kept] for name, column in dates.items()}
        found = discrepancies(picked["central"], picked["investigator"], tolerance_days=tolerance_days)
        counts = {name: getattr(found, name) for name in Discrepancies.__dataclass_fields__}
        early, late = found.early_rate, found.late_rate
        rows.append({"group": group, **counts, "early_discrepancy_rate": early, "late_discrepancy_rate": late})
    return {
        "n": len(subjects),
        "best_response": _best_response(best, confidence),
        "progression": {"tolerance_days": tolerance_days, "groups": rows, **_differential(rows)},
        "survival": [{"reader": name, **_survival(judged, confidence)} for name, judged in both.items()],
        "settings": shown(settings),
    }


def _best_response(best: Mapping[str, Sequence[str]], confidence: float) -> Document:
    order = [word.value for word in BestOverallResponse]
    used = [word for word in order if any(word in column for column in best.values())]
    table = cross_table(best["central"], best["investigator"], categories=used)
    agreed = sum(a == b for a, b in zip(best["central"], best["investigator"], strict=True))
    document: Document = {
        "agreement": estimate_document(rate(agreed, len(best["central"]), confidence=confidence, method="wilson")),
        "kappa": estimate_document(cohen_kappa(table, confidence=confidence)),
    }
    if len(used) > 1:
        document["ac1"] = estimate_document(gwet_ac1(table, confidence=confidence))
    document["table"] = [
        {"central": name, **{f"investigator {other}": int(n) for other, n in zip(used, row, strict=True)}}
        for name, row in zip(used, table.tolist(), strict=True)
    ]
    return document


def _differential(rows: Sequence[Document]) -> Document:
    """How much the rates differ between two arms: more than chance points at an evaluation biased by the arm."""
    arms = [row for row in rows if row["group"] != "all"]
    if len(arms) != 2:
        return {}
    first, second = arms
    return {
        f"differential_{name}": None if first[key] is None or second[key] is None else first[key] - second[key]
        for name, key in (("early", "early_discrepancy_rate"), ("late", "late_discrepancy_rate"))
    }

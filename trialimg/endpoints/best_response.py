"""Best overall response, with and without confirmation.

References
----------
Eisenhauer EA et al. RECIST 1.1. Eur J Cancer 2009;45:228-247, section 4.4 and table 3.
admiralonco, derive_param_bor and derive_param_confirmed_bor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

from trialimg.core.responses import BestOverallResponse, Firing, OverallResponse
from trialimg.endpoints.results import BestResponse
from trialimg.endpoints.sequence import DatedResponse
from trialimg.endpoints.settings import EndpointSettings, Profile

__all__ = [
    "best_response",
    "confirmed_best_response",
    "disease_control_date",
    "first_confirmed_response_date",
    "first_response_date",
]

_O, _B = OverallResponse, BestOverallResponse
_RESPONSES = frozenset({_O.CR, _O.PR})
_RANK = (_B.CR, _B.PR, _B.SD, _B.NON_CR_NON_PD, _B.PD, _B.NED, _B.NE, _B.ND)
"""Best first."""

_Judgement = tuple[BestOverallResponse, str]
_Judge = Callable[[int], _Judgement]


def best_response(
    responses: Sequence[DatedResponse], reference_date: dt.date | None, settings: EndpointSettings
) -> BestResponse:
    """The best response of those that count, at face value; SD only after its minimum duration.

    Parameters
    ----------
    responses
        Those that count, in order of date.
    reference_date
        Where the minimum duration of SD starts; None: SD cannot be shown to have lasted.
    """

    def judge(index: int) -> _Judgement:
        word = responses[index].response
        if word in (_O.SD, _O.NON_CR_NON_PD) and not _lasted(responses[index], reference_date, settings):
            return _B.NE, f"{word.value} before day {settings.min_sd_days}"
        return _B(word.value), responses[index].note or f"{word.value} as read"

    return _best(responses, judge, settings, "E/BOR")


def confirmed_best_response(
    responses: Sequence[DatedResponse], reference_date: dt.date | None, settings: EndpointSettings
) -> BestResponse:
    """The best response where CR and PR count only if a later assessment confirms them.

    A response that is not confirmed counts as SD if it lasted so long, else as not evaluable. Parameters as for
    `best_response`.
    """

    def judge(index: int) -> _Judgement:
        here = responses[index]
        confirming = _confirming(responses, index, settings)
        if confirming is not None:
            return _B(here.response.value), f"confirmed by {confirming.response.value} on {confirming.date}"
        if here.response in (_O.CR, _O.PR, _O.SD):
            return _demoted(here, _B.SD, reference_date, settings)
        if here.response is _O.NON_CR_NON_PD:
            return _demoted(here, _B.NON_CR_NON_PD, reference_date, settings)
        return _B(here.response.value), here.note or f"{here.response.value} as read"

    return _best(responses, judge, settings, "E/CBOR")


def first_response_date(responses: Sequence[DatedResponse]) -> dt.date | None:
    """The date of the first CR or PR; None for a non-responder."""
    return next((r.date for r in responses if r.response in _RESPONSES), None)


def first_confirmed_response_date(responses: Sequence[DatedResponse], settings: EndpointSettings) -> dt.date | None:
    """The date of the first CR or PR that a later assessment confirms; None if there is none."""
    confirmed = (r.date for i, r in enumerate(responses) if _confirming(responses, i, settings) is not None)
    return next(confirmed, None)


def disease_control_date(
    responses: Sequence[DatedResponse],
    reference_date: dt.date | None,
    settings: EndpointSettings,
    *,
    response_date: dt.date | None,
) -> dt.date | None:
    """The first date of a response, or of disease that was not progressing after the minimum duration; None if none."""
    controlled = (_O.CR, _O.PR, _O.SD, _O.NON_CR_NON_PD)
    stable = (r.date for r in responses if r.response in controlled and _lasted(r, reference_date, settings))
    dates = [day for day in (response_date, next(stable, None)) if day is not None]
    return min(dates, default=None)


def _best(responses: Sequence[DatedResponse], judge: _Judge, settings: EndpointSettings, rule: str) -> BestResponse:
    if not responses:
        word = _B.NE if settings.missing_as_ne else _B.MISSING
        return BestResponse(word, None, Firing(rule, f"no assessment after baseline: {word.value}"))
    judged = [(*judge(index), response) for index, response in enumerate(responses)]
    word, why, response = min(judged, key=lambda item: _RANK.index(item[0]))
    if word is _B.ND and rule == "E/BOR":
        return BestResponse(_B.MISSING, None, Firing(rule, "no assessment was done: MISSING"))
    day = response.progression_date if word is _B.PD else response.date
    numbers = {"assessments": str(len(responses)), "read": response.response.value, "date": str(day)}
    return BestResponse(word, day, Firing(rule, f"best of {len(responses)}: {word.value} on {day}, {why}", numbers))


def _lasted(response: DatedResponse, reference_date: dt.date | None, settings: EndpointSettings) -> bool:
    if settings.min_sd_days == 0:
        return True
    return reference_date is not None and (response.date - reference_date).days >= settings.min_sd_days


def _demoted(
    response: DatedResponse, word: BestOverallResponse, reference_date: dt.date | None, settings: EndpointSettings
) -> _Judgement:
    read = response.response.value
    what = read if read == word.value else f"unconfirmed {read}"
    if not _lasted(response, reference_date, settings):
        return _B.NE, f"{what} before day {settings.min_sd_days}"
    return word, f"{what} at least {settings.min_sd_days} days after the reference date"


def _confirming(responses: Sequence[DatedResponse], index: int, settings: EndpointSettings) -> DatedResponse | None:
    """The first assessment that confirms a CR or PR, if what lies between them allows it; else None."""
    here = responses[index]
    if here.response not in _RESPONSES:
        return None
    stretch = list(_stretch(responses[index + 1 :], here, settings))
    last = stretch[-1] if stretch else None
    if last is None or not _confirms(last, here, settings):
        return None
    between = [response.response for response in stretch[:-1]]
    return last if _tolerated(between, here.response, last.response, settings) else None


def _stretch(
    later: Sequence[DatedResponse], here: DatedResponse, settings: EndpointSettings
) -> Iterator[DatedResponse]:
    for response in later:
        yield response
        if _confirms(response, here, settings):
            return


def _confirms(response: DatedResponse, here: DatedResponse, settings: EndpointSettings) -> bool:
    good = response.response is _O.CR or (here.response is _O.PR and response.response is _O.PR)
    return good and (response.date - here.date).days >= settings.confirmation_days


def _tolerated(
    between: Sequence[OverallResponse], first: OverallResponse, last: OverallResponse, settings: EndpointSettings
) -> bool:
    unknown = {_O.NE} if settings.profile is Profile.ADMIRALONCO else {_O.NE, _O.ND}
    if sum(word in unknown for word in between) > settings.max_ne:
        return False
    allowed = {_O.CR, *unknown}
    if first is _O.PR:
        allowed |= {_O.PR, _O.SD}
        if between.count(_O.SD) > int(settings.accept_sd) or _falls_back([*between, last]):
            return False
    return set(between) <= allowed


def _falls_back(words: Sequence[OverallResponse]) -> bool:
    """Whether a PR stands after a CR."""
    return _O.CR in words and _O.PR in words[words.index(_O.CR) :]

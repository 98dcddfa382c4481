"""Nothing is taken from a site before its day, nor from a machine that is not on its list."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.fakes.records import granted, memory_records
from tests.unit.protocol.texts import VALID
from trialimg.core.access import Role
from trialimg.core.errors import IntakeError, InvalidValueError, ProtocolError
from trialimg.protocol.load import read_protocol
from trialimg.services.records import EntryQuery
from trialimg.services.trials import Change, open_trial
from trialimg.services.trials_sites import SiteChange, Source, SourceKind, accept_source, put_site, source_refusal

PROTOCOL = read_protocol(VALID)
TRIAL, HERE, OTHER = PROTOCOL.trial.id, PROTOCOL.sites[0], PROTOCOL.sites[1]
SCANNER = Source(SourceKind.AE_TITLE, "HOSP_CT1")
KEY = Source(SourceKind.API_KEY, "k-7f1d9c")
TODAY = dt.date(2026, 1, 1)


@pytest.fixture
def records():
    records = memory_records()
    analyst = granted(records, "ana", Role.ANALYST)
    open_trial(records, analyst, VALID, Change("approved", TODAY))
    return records


@pytest.fixture
def analyst(records):
    return granted(records, "ana", Role.ANALYST)


def active(since: dt.date = TODAY, *sources: Source, site: str = HERE) -> SiteChange:
    chosen = sources or (SCANNER, KEY)
    return SiteChange(TRIAL, site, "active", "General Hospital", since, chosen, "ethics and contract are there")


def refusal(records, source: Source, *, site: str = HERE, at: str = "2026-01-05T00:00:00+00:00") -> str:
    with records.store.reading() as transaction:
        return source_refusal(transaction, TRIAL, site, source=source, at=at)


@pytest.mark.requirement("E6-11")
def test_a_site_sends_nothing_before_its_day_and_nothing_after_it_is_closed(records, analyst):
    assert "not activated" in refusal(records, SCANNER)
    put_site(records, analyst, SiteChange(TRIAL, HERE, "planned", reason="selected"))
    assert "not activated" in refusal(records, SCANNER)
    put_site(records, analyst, active(dt.date(2026, 1, 4)))
    assert "active from 2026-01-04" in refusal(records, SCANNER, at="2026-01-03T23:59:59+00:00")
    assert refusal(records, SCANNER, at="2026-01-04T00:00:00+00:00") == ""
    put_site(records, analyst, SiteChange(TRIAL, HERE, "closed", reason="last subject out"))
    assert "is closed" in refusal(records, SCANNER)


@pytest.mark.requirement("P11-09")
@pytest.mark.parametrize(
    ("source", "site", "because"),
    [
        (SCANNER, HERE, ""),
        (Source(SourceKind.AE_TITLE, " HOSP_CT1 "), HERE, ""),
        (KEY, HERE, ""),
        (Source(SourceKind.AE_TITLE, "HOSP_CT2"), HERE, "'HOSP_CT2' is not one"),
        (Source(SourceKind.API_KEY, "k-stolen"), HERE, "the api key is not one"),
        (Source(SourceKind.API_KEY, "HOSP_CT1"), HERE, "the api key is not one"),
        (SCANNER, OTHER, "is not one of site"),
    ],
)
def test_only_a_machine_of_the_site_is_believed(records, analyst, source, site, because):
    put_site(records, analyst, active())
    put_site(records, analyst, active(TODAY, Source(SourceKind.AE_TITLE, "ELSEWHERE"), site=OTHER))
    found = refusal(records, source, site=site)
    assert because in found if because else found == ""


@pytest.mark.requirement("P11-09")
def test_a_wrong_machine_is_refused_and_both_answers_are_in_the_ledger(records, analyst):
    put_site(records, analyst, active())
    sender = granted(records, "sue", Role.SITE, trial=TRIAL, site=HERE)
    accept_source(records, sender, TRIAL, HERE, source=SCANNER)
    with pytest.raises(IntakeError, match="HOSP_CT9") as refused:
        accept_source(records, sender, TRIAL, HERE, source=Source(SourceKind.AE_TITLE, "HOSP_CT9"))
    assert [fault.code for fault in refused.value.faults] == ["source_refused"]
    with records.store.reading() as transaction:
        made = list(transaction.entries(EntryQuery(trial=TRIAL, who="sue")))
        assert [entry.action for entry in made] == ["accept_source", "refuse_source"]
        assert "HOSP_CT9" in transaction.detail(made[1].sequence).value()["reason"]


def test_a_key_is_kept_as_its_digest_only(records, analyst):
    kept = put_site(records, analyst, active())
    assert KEY.value not in str(kept.content)
    assert [source["kind"] for source in kept.body["sources"]] == ["ae_title", "api_key"]


def test_a_change_keeps_what_it_does_not_name(records, analyst):
    put_site(records, analyst, active())
    kept = put_site(records, analyst, SiteChange(TRIAL, HERE, "closed", reason="done")).body
    assert (kept["name"], kept["activated_on"], len(kept["sources"])) == ("General Hospital", "2026-01-01", 2)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (SiteChange(TRIAL, "99", "planned", reason="x"), "unknown_site"),
        (SiteChange(TRIAL, HERE, "asleep", reason="x"), "unknown_word"),
        (SiteChange(TRIAL, HERE, "planned"), "empty"),
        (SiteChange(TRIAL, HERE, "active", sources=(SCANNER,), reason="x"), "missing"),
        (SiteChange(TRIAL, HERE, "active", activated_on=TODAY, reason="x"), "empty"),
    ],
)
def test_a_site_is_not_put_where_it_cannot_be(records, analyst, change, code):
    with pytest.raises(ProtocolError) as refused:
        put_site(records, analyst, change)
    assert code in [fault.code for fault in refused.value.faults]


@pytest.mark.parametrize(("kind", "value"), [(SourceKind.AE_TITLE, " "), (SourceKind.AE_TITLE, "A" * 17)])
def test_a_machine_has_a_name_that_can_be(kind, value):
    with pytest.raises(InvalidValueError):
        Source(kind, value)

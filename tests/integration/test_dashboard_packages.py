"""Figures and tables of a data cut as a sponsor takes them: made from what was locked, without arms, in the ledger."""

from __future__ import annotations

import io
import shutil
import zipfile
from dataclasses import replace

import pytest

from tests.fakes.central_review import DATES
from tests.fakes.dashboard import PLAN, PROTOCOL, TRIAL, House, furnished
from trialimg.bootstrap import records
from trialimg.bootstrap.packages import cdisc_package, figure_package
from trialimg.core.access import Role
from trialimg.core.digest import digest_of
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.trial import Subject
from trialimg.protocol.load import read_protocol
from trialimg.protocol.model import full
from trialimg.services import dashboard_packages
from trialimg.services.cases import withdraw_consent
from trialimg.services.cdisc.course import Course
from trialimg.services.cdisc.from_results import study_of_protocol
from trialimg.services.dashboard_downloads import fetch_cut
from trialimg.services.dashboard_packages import fetch_datasets, fetch_figures
from trialimg.services.finished import open_run
from trialimg.services.records import EntryQuery
from trialimg.services.trials_data_cut import unlock_data


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> House:
    return furnished(tmp_path_factory.mktemp("built") / "home")


@pytest.fixture
def house(built, tmp_path) -> House:
    home = tmp_path / "home"
    shutil.copytree(built.home, home)
    return replace(built, home=home, records=replace(records(home), clock=built.records.clock))


def names(package: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        return {*opened.namelist()}


def test_the_figures_of_a_cut_are_vector_files_the_same_each_time_and_noted_with_their_digest(house):
    sponsor = house.actor("sponsor")
    first = fetch_figures(house.records, sponsor, TRIAL, "IA1", pack=figure_package)
    assert fetch_figures(house.records, sponsor, TRIAL, "IA1", pack=figure_package) == first
    assert {name.partition(".")[2] for name in names(first)} == {"svg", "pdf"}
    assert len(names(first)) == 8
    with house.records.store.reading() as transaction:
        noted = list(transaction.entries(EntryQuery(trial=TRIAL, action="download")))
        reasons = [transaction.detail(one.sequence).value()["reason"] for one in noted]
    assert [(one.who, one.object_id) for one in noted] == [("demo-sponsor", f"{TRIAL}-IA1-figures.zip")] * 2
    assert reasons == [digest_of(first)] * 2


def test_the_figures_hold_the_cases_of_the_cut_alone_and_name_no_arm_reader_or_site(house):
    package = fetch_figures(house.records, house.actor("sponsor"), TRIAL, "IA1", pack=figure_package)
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        said = "".join(opened.read(name).decode() for name in opened.namelist() if name.endswith(".svg"))
    assert "S-C0001" in said
    for absent in ("S-C0006", "S-C0009", "radiologist", "SITE-CANARY", "Arm A", "Arm B"):
        assert absent not in said


@pytest.mark.parametrize("key", ["radiologist", "adjudicator", "administrator"])
def test_nobody_takes_figures_who_may_not_see_reports_and_the_attempt_is_kept(house, key):
    with pytest.raises(AccessError):
        fetch_figures(house.records, house.actor(key), TRIAL, "IA1", pack=figure_package)
    with house.records.store.reading() as transaction:
        refused = list(transaction.entries(EntryQuery(trial=TRIAL, action="refuse_access")))
    assert Role(refused[-1].role) is house.actor(key).role


def test_no_package_is_made_of_a_cut_whose_cases_have_changed(house):
    analyst = house.actor("analyst")
    unlock_data(house.records, analyst, house.proof("analyst"), f"{TRIAL}/IA1", reason="a query came back")
    withdraw_consent(house.records, analyst, TRIAL, "S-C0001", reason="asked for")
    with pytest.raises(ReadingError, match="make another cut"):
        fetch_figures(house.records, house.actor("sponsor"), TRIAL, "IA1", pack=figure_package)


def test_the_table_of_a_cut_runs_nothing_in_a_spreadsheet(house):
    lines = fetch_cut(house.records, house.actor("sponsor"), TRIAL, "IA1").decode().splitlines()
    cells = [cell for line in lines[1:] for cell in line.split(",")]
    assert cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_the_datasets_of_a_cut_hold_its_cases_by_both_readers_and_no_arm_while_the_trial_is_blinded(house, monkeypatch):
    subjects = [Subject(f"S-{code}", "01", "ARM-CANARY", DATES["BL"]) for code in PLAN]
    courses = tuple(Course(one, (), None) for one in subjects)
    study = study_of_protocol(full(read_protocol(PROTOCOL)), courses, software="trialimg test")
    monkeypatch.setattr(dashboard_packages, "study_of_run", lambda _run: study)
    run = open_run(house.home / "runs" / TRIAL)
    package = fetch_datasets(house.records, house.actor("sponsor"), TRIAL, "IA1", run=run, pack=cdisc_package)
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        held = {name: opened.read(name) for name in opened.namelist()}
    assert {"dm.xpt", "rs.xpt", "tu.csv"} <= {name.rpartition("/")[2] for name in held}
    assert any(name.endswith(".xml") for name in held)
    everything = b"".join(held.values())
    assert b"ARM-CANARY" not in everything
    responses = next(data for name, data in held.items() if name.rpartition("/")[2] == "rs.csv").decode()
    assert "S-C0001" in responses
    assert "S-C0006" not in responses
    with house.records.store.reading() as transaction:
        (noted,) = transaction.entries(EntryQuery(trial=TRIAL, action="download"))
        assert transaction.detail(noted.sequence).value()["reason"] == digest_of(package)

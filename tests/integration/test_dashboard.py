"""The pages of the analyst, the sponsor, the administrator and the inspector over real records, without a browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from apps.trialimg_dashboard import desk as desks
from apps.trialimg_dashboard.roles import PAGES
from tests.fakes.dashboard import NOT_GIVEN_OUT, TRIAL, House, furnished, installation_of
from trialimg.bootstrap import records
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, IntakeError, IntegrityError
from trialimg.services.cases import withdraw_consent
from trialimg.services.dashboard_downloads import fetch_cut, fetch_output
from trialimg.services.dashboard_features import take_table
from trialimg.services.dashboard_protocol import amend
from trialimg.services.dashboard_store import make_checkpoint
from trialimg.services.finished import open_run
from trialimg.services.journal import Journal
from trialimg.services.lesion_warnings import WARNING
from trialimg.services.people import disable_user
from trialimg.services.reading_assignment import assign_trial
from trialimg.services.reading_file import ASSIGNMENT
from trialimg.services.records import EntryQuery, Place
from trialimg.services.trials import Change

HERS = (
    "cohort", "case", "cases", "readers", "features", "model", "quality", "report", "protocol", "audit", "trial",
    "people", "invoices", "store",
)  # fmt: skip
KEYS = {
    "analyst": Role.ANALYST,
    "sponsor": Role.SPONSOR,
    "administrator": Role.ADMINISTRATOR,
    "inspector": Role.INSPECTOR,
}
PEOPLE = {**KEYS, "radiologist": Role.RADIOLOGIST, "adjudicator": Role.ADJUDICATOR}
GRANTED = [(key, page) for key, role in KEYS.items() for page in PAGES[role] if page in HERS]
OTHERS = [(key, page) for key, role in PEOPLE.items() for page in HERS if page not in PAGES[role]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The installation, made once."""
    return furnished(tmp_path_factory.mktemp("built") / "home")


@pytest.fixture
def house(built: House, tmp_path: Path) -> House:
    """A copy that a test may change."""
    home = tmp_path / "home"
    shutil.copytree(built.home, home)
    return replace(built, home=home, records=replace(records(home), clock=built.records.clock))


class Opened:
    """Pages as somebody gets them."""

    def __init__(self, root: Path, house: House, patch: pytest.MonkeyPatch) -> None:
        self.folder = root / "apps" / "trialimg_dashboard" / "pages"
        self.house = house
        self.patch = patch
        patch.setattr(desks, "installation", lambda: installation_of(house))

    def __call__(self, key: str, name: str, *, language: str = "en", **state: object) -> AppTest:
        self.patch.setattr(desks, "actor_of", lambda _: self.house.actor(key) if key else None)
        app = AppTest.from_file(str(self.folder / f"{name}.py"), default_timeout=60)
        app.session_state["language"] = language
        for word, value in state.items():
            app.session_state[word] = value
        return app.run()


@pytest.fixture
def opened(root: Path, built: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Pages over what nobody changes."""
    return Opened(root, built, monkeypatch)


@pytest.fixture
def changed(root: Path, house: House, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Pages over a copy."""
    return Opened(root, house, monkeypatch)


def words(app: AppTest) -> str:
    """Everything that a page says."""
    blocks = (
        app.title,
        app.subheader,
        app.markdown,
        app.caption,
        app.metric,
        app.info,
        app.warning,
        app.error,
        app.success,
    )
    said = [f"{getattr(one, 'label', '')} {one.value}" for block in blocks for one in block]
    return "\n".join([*said, *(table.value.to_csv() for table in app.dataframe), *(one.label for one in app.expander)])


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("key", "name"), GRANTED)
def test_each_page_opens_for_each_role_that_has_it(opened, key, name, language):
    app = opened(key, name, language=language, case="C0003")
    assert not app.exception
    assert [error.value for error in app.error] == []
    assert words(app)


@pytest.mark.parametrize(("key", "name"), OTHERS)
def test_a_page_opened_by_its_address_refuses_a_role_that_does_not_have_it(opened, key, name):
    app = opened(key, name, case="C0003")
    assert not app.exception
    assert [one.value for one in app.error] == [
        f"a {PEOPLE[key].value} may not open the page {name}; the attempt is in the audit trail"
    ]
    assert forms(app) == []
    assert not app.dataframe
    assert "S-C0003" not in words(app)


@pytest.mark.parametrize("name", HERS)
def test_whoever_is_signed_out_sees_nothing(opened, name):
    app = opened("", name)
    assert "not signed in" in app.warning[0].value
    assert not app.dataframe
    assert not app.metric


@pytest.mark.parametrize("name", sorted({*PAGES[Role.INSPECTOR], "cases", "invoices"} & {*HERS}))
def test_an_inspector_finds_no_button_that_changes_anything(opened, name):
    assert forms(opened("inspector", name, case="C0003")) == []


def test_the_same_pages_have_such_buttons_for_those_who_may(opened):
    for key, name in (("analyst", "cases"), ("analyst", "protocol"), ("administrator", "people"),
                      ("administrator", "invoices"), ("administrator", "store")):  # fmt: skip
        assert forms(opened(key, name, case="C0003")), name


def test_the_services_refuse_an_inspector_who_comes_another_way(house):
    inspector, proof = house.actor("inspector"), house.proof("inspector")
    attempts = (
        lambda: assign_trial(house.records, inspector, TRIAL),
        lambda: withdraw_consent(house.records, inspector, TRIAL, "S-C0001", reason="x"),
        lambda: disable_user(house.records, inspector, "demo-sponsor", reason="x"),
        lambda: make_checkpoint(house.records, inspector, ring=None),
        lambda: amend(house.records, inspector, proof, TRIAL, text=next_version(), change=today(house)),
    )
    for attempt in attempts:
        with pytest.raises(AccessError, match="inspector may not"):
            attempt()


def test_the_cohort_counts_every_case_once_and_filters_by_the_counts(opened):
    app = opened("analyst", "cohort")
    assert [metric.value for metric in app.metric] == ["9", "27 / 0 / 0", "0", "0.0"]
    assert "2 of 6" in words(app)
    app.button_group(key="cohort_states").set_value(["adjudication"]).run()
    table = app.dataframe[0].value
    assert table["Case"].tolist() == ["C0006"]
    assert "1 of 9" in words(app)


def test_what_is_given_out_is_seen_in_the_cohort(changed):
    app = changed("analyst", "cases")
    act = "Give out every free seat of the trial"
    press(app, act)
    assert "tick that you are sure" in app.warning[0].value
    press(app, act, is_sure=True)
    assert not app.error
    table = changed("analyst", "cohort").dataframe[0].value.set_index("Case")
    assert table.loc[NOT_GIVEN_OUT, "Reads"] == "Due 2"


def press(app: AppTest, label: str, *, is_sure: bool = False) -> None:
    """Submit a form; each has one box to tick, and they stand in the same order as the buttons."""
    place = forms(app).index(label)
    if is_sure:
        app.checkbox[place].set_value(True)
    next(button for button in app.button if button.label == label).click().run()


def test_results_locked_by_the_analyst_are_there_for_the_sponsor(changed):
    app = changed("analyst", "cases")
    proof = changed.house.proof("analyst")
    fill(app, "Name of the data cut, e.g. IA1", "IA2")
    fill(app, "Password", proof.password)
    fill(app, "Six-digit code (first signature of a session)", proof.code)
    reasons = [one for one in app.text_input if one.label.startswith("Reason")]
    reasons[0].set_value("second interim analysis")
    press(app, "Lock the results for analysis (data cut)", is_sure=True)
    assert [error.value for error in app.error] == []
    assert "T-1-IA2-results.csv" in words(changed("sponsor", "trial"))


def fill(app: AppTest, label: str, value: str) -> None:
    next(one for one in app.text_input if one.label == label).set_value(value)


def forms(app: AppTest) -> list[str]:
    """What the forms of a page are called, in their order."""
    return [button.label for button in app.button if button.key and button.key.startswith("FormSubmitter")]


def test_a_case_page_shows_who_read_what_holds_and_why(opened):
    said = words(opened("analyst", "case", case="C0003"))
    assert "demo-radiologist-2" in said
    assert "the long axis of T01 leaves the lesion" in said
    assert "finalise case" in said


@pytest.mark.parametrize(("language", "said"), [("en", "signed without an answer"), ("zh", "未答复即签署")])
def test_a_case_page_shows_which_warnings_stood_unanswered(changed, language, said):
    signed = {"lesion": "T01", "fits": "T02", "away_mm": "91.3", "outcome": "unanswered"}
    with changed.house.records.store.changing() as transaction:
        signed_by = transaction.find(ASSIGNMENT, Place(TRIAL, f"{TRIAL}/C0003", state="signed"))
        one = next(read for read in signed_by if read.body["seat"] == "first")
        journal = Journal(transaction, changed.house.actor("analyst"), changed.house.records)
        where = Place(TRIAL, one.place.case, state="unanswered")
        for step in ("BL", "W06"):
            body = {"timepoint": step, "warnings": [signed] if step == "W06" else []}
            journal.write(WARNING, f"{one.id}/{step}", body, action="sign_under_warning", place=where)
    shown = words(changed("analyst", "case", language=language, case="C0003"))
    assert shown.count(said) == 1
    assert "T02,91.3" in shown
    assert said not in words(changed("analyst", "case", language=language, case="C0001"))


def test_a_sponsor_sees_cuts_and_the_case_behind_each_line_and_nothing_that_unblinds(opened):
    app = opened("sponsor", "trial")
    said = words(app)
    assert "**5 of 9** cases are final" in said
    assert "T-1-IA1-results.csv" in said
    assert "C0003" in said
    assert "radiologist" not in said
    assert "endpoints.csv" not in said
    assert "report.html" not in said


def test_what_compares_arms_is_refused_to_a_sponsor_until_unblinding(house):
    run = open_run(house.home / "runs" / TRIAL)
    with pytest.raises(AccessError, match="blinded"):
        fetch_output(house.records, house.actor("sponsor"), TRIAL, run=run, name="endpoints.csv")
    assert b"best_overall" in fetch_output(house.records, house.actor("analyst"), TRIAL, run=run, name="endpoints.csv")


def test_each_download_is_in_the_audit_trail_with_its_digest(changed):
    house = changed.house
    table = fetch_cut(house.records, house.actor("sponsor"), TRIAL, "IA1")
    assert table.splitlines()[3].startswith((b"C0003,S-C0003,PR", b"C0003,S-C0003,SD"))
    with house.records.store.reading() as transaction:
        noted = list(transaction.entries(EntryQuery(trial=TRIAL, action="download")))
    assert [(one.who, one.object_id) for one in noted] == [("demo-sponsor", "T-1-IA1-results.csv")]
    assert "download" in words(changed("inspector", "audit"))


def test_a_table_of_results_names_no_reader_no_arm_and_no_site(house):
    heads = fetch_cut(house.records, house.actor("sponsor"), TRIAL, "IA1").splitlines()[0].decode().split(",")
    assert not {"arm", "site", "reader"} & {*heads}


def test_readers_are_shown_with_interval_and_count(opened):
    table = opened("analyst", "readers").dataframe[1].value.set_index("Reader")
    assert table.loc["demo-radiologist-2", "Adjudicated, % (interval), count"] == "33.3 (4.3-77.7), 2/6"


def test_the_flow_of_the_cases_stands_with_the_readers(opened):
    app = opened("analyst", "readers")
    assert "From cases to final results" in [one.value for one in app.subheader]
    assert any("Cases received" in str(chart.proto) for chart in app.get("plotly_chart"))


def test_the_audit_trail_is_narrowed_by_who_and_what(opened):
    app = opened("analyst", "audit")
    app.text_input(key="audit_who").set_value("demo-radiologist-2")
    app.text_input(key="audit_action").set_value("sign read").run()
    table = app.dataframe[0].value
    assert {*table["Who"]} == {"demo-radiologist-2"}
    assert {*table["What was done"]} == {"sign read"}
    assert table["Entry"].is_monotonic_decreasing


def test_verification_says_that_everything_is_as_it_was_written(opened):
    app = opened("inspector", "audit")
    app.button(key="verify").click().run()
    assert "Everything is as it was written" in app.success[0].value


def test_an_amendment_is_refused_with_every_fault_and_changes_nothing(house):
    analyst, proof = house.actor("analyst"), house.proof("analyst")
    other = next_version().replace("id: T-1", "id: T-2")
    with pytest.raises(Exception, match="protocol of T-2, not of T-1"):
        amend(house.records, analyst, proof, TRIAL, text=other, change=today(house))
    assert amend(house.records, analyst, proof, TRIAL, text=next_version(), change=today(house)) == ("2.0", 1)


def test_versions_of_a_protocol_and_what_differs_are_shown(changed):
    house = changed.house
    amend(
        house.records, house.actor("analyst"), house.proof("analyst"), TRIAL, text=next_version(), change=today(house)
    )
    said = words(changed("inspector", "protocol"))
    assert "thinner slices" in said
    assert "max_slice_thickness_mm" in said


def test_a_new_person_gets_a_password_that_is_shown_once(changed):
    app = changed("administrator", "people")
    by_label = {one.label: one for one in app.text_input}
    by_label["User name"].set_value("nora")
    by_label["Name under signatures"].set_value("Nora Ng")
    by_label["How the identity was verified"].set_value("passport, seen by A. Min on 2026-01-05")
    press(app, "Add a person", is_sure=True)
    assert "nora" in app.warning[0].value
    once = app.code[0].value
    assert once not in app.run().main.__repr__()
    assert "nora" in words(app)


def test_findings_are_narrowed_by_code(opened):
    app = opened("analyst", "quality")
    app.multiselect(key="quality_code").set_value(["thick_slices"]).run()
    assert "1 of 2" in words(app)


def test_where_there_is_no_run_the_page_says_what_to_do(changed):
    shutil.rmtree(changed.house.home / "runs")
    assert "trialimg run" in changed("analyst", "report").info[0].value


def test_a_file_that_is_not_what_the_run_wrote_is_never_shown(changed):
    folder = changed.house.home / "runs" / TRIAL
    (folder / "report.html").write_bytes(b"<h1>Forged</h1>")
    assert "is not what the run wrote" in changed("analyst", "report").error[0].value
    with pytest.raises(IntegrityError):
        open_run(folder).content("report.html")


def test_only_outputs_of_the_run_can_be_read(built):
    with pytest.raises(IntakeError, match="wrote no"):
        open_run(built.home / "runs" / TRIAL).content("../../etc/passwd")


def test_the_model_page_says_letter_value_and_what_is_not_recorded(opened):
    table = opened("inspector", "model").dataframe[0].value.set_index("Indicator")
    assert table.loc["Taken and then changed, %", "Now"] == "35.0"  # 7 of 20
    assert table.loc["Taken and then changed, %", "State"] == "A · Amber"
    assert table.loc["Largest gap between sexes, points", "Remark"] == "Not recorded"
    assert table.loc["Days since the last validation", "State"] == "R · Red"


def test_a_red_indicator_is_a_task_that_is_closed_with_a_reason(changed):
    app = changed("analyst", "model")
    assert app.dataframe[1].value["State"].tolist() == ["open"]
    next(one for one in app.text_input if one.label.startswith("Reason")).set_value("validation is planned for May")
    press(app, "Close a task", is_sure=True)
    assert [error.value for error in app.error] == []
    tasks = changed("inspector", "model").dataframe[1].value
    assert tasks["Reason"].tolist() == ["validation is planned for May"]
    assert tasks["Closed by"].tolist() == ["demo-analyst"]


def test_features_are_held_against_an_outcome_with_q_and_the_warning_of_many_tests(opened):
    app = opened("analyst", "features")
    said = words(app)
    assert "5 features were tested one by one" in said
    table = app.dataframe[0].value.set_index("Feature")
    assert table.loc["log-sigma-3-0-mm-3D_glcm_Contrast", "Note"] == "does not vary"
    assert table["q"].notna().sum() == 5
    app.multiselect(key="features_family").set_value(["shape"]).run()
    assert {*app.dataframe[0].value["Feature"]} == {"original_shape_Maximum3DDiameter", "original_shape_MeshVolume"}


def test_a_feature_is_followed_over_the_visits_of_each_lesion(opened):
    app = opened("analyst", "features", features_view="course")
    table = app.dataframe[0].value.set_index(["Subject", "Visit"])
    assert table.loc[("S-C0001", "BL"), "Value"] == 32000
    assert table.loc[("S-C0001", "W06"), "Change, %"] == pytest.approx(100 * (24**3 / 40**3 - 1))


def test_stability_and_clusters_say_on_how_many_they_rest(opened):
    assert "Not measured: only 3 lesions" in words(opened("analyst", "features", features_view="stability"))
    app = opened("analyst", "features", features_view="clusters")
    assert "5 features of 6 subjects" in words(app)
    groups = app.dataframe[0].value.set_index("Stands for it")["The others"]
    assert {"original_shape_Maximum3DDiameter", "original_shape_MeshVolume"} & {*groups.index, *groups}


def test_a_table_of_features_is_noted_when_it_is_taken(house):
    rows = [{"feature": "a", "p": None}]
    table = take_table(house.records, house.actor("analyst"), TRIAL, file="f.csv", rows=rows)
    assert table == b"feature,p\r\na,\r\n"
    with house.records.store.reading() as transaction:
        noted = list(transaction.entries(EntryQuery(trial=TRIAL, action="download")))
    assert [(one.who, one.object_id) for one in noted] == [("demo-analyst", "f.csv")]
    with pytest.raises(AccessError, match="blinded"):
        take_table(house.records, house.actor("sponsor"), TRIAL, file="f.csv", rows=rows)


def next_version() -> str:
    from tests.fakes.dashboard import PROTOCOL

    return PROTOCOL.replace('version: "1.0"}', 'version: "2.0"}').replace(
        "max_slice_thickness_mm: 5", "max_slice_thickness_mm: 3"
    )


def today(house: House) -> Change:
    return Change("thinner slices", house.records.clock.now().date())


def figures_of(app: AppTest) -> list[dict[str, Any]]:
    """Plotly's document of each figure of a page."""
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_the_endpoints_are_drawn_from_the_final_reads_and_each_bar_names_its_case(opened):
    app = opened("analyst", "cohort", cohort_shows="endpoints")
    assert not app.exception
    waterfall = next(one for one in figures_of(app) if one["layout"]["meta"]["words"].startswith("Waterfall plot"))
    cases = [case for trace in waterfall["data"] if trace["type"] == "bar" for case in trace["customdata"]]
    assert cases
    assert set(cases) <= {f"C{number:04d}" for number in range(1, 10)}


def test_the_software_s_endpoints_have_a_curve_by_arm_in_the_reader_s_language(opened):
    app = opened("analyst", "cohort", language="zh", cohort_shows="endpoints", source="run")
    assert not app.exception
    survival = next(one for one in figures_of(app) if one["layout"]["meta"]["words"].startswith("Kaplan-Meier"))
    assert survival["layout"]["xaxis"]["title"]["text"] == "自参考日期起的月数"
    steps = [trace for trace in survival["data"] if trace.get("line", {}).get("shape") == "hv"]
    assert steps

"""The pages for uploads and queries over real records, and every page against every role, without a browser."""

from __future__ import annotations

import ast
import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from apps.trialimg_dashboard import desk as desks
from apps.trialimg_dashboard.roles import PAGES
from tests.fakes.dashboard import TRIAL, House, furnished, installation_of
from tests.fakes.dicom_files import stack, uid
from tests.fakes.people import at_desk
from trialimg.bootstrap import intake, records
from trialimg.core.access import Actor, Role
from trialimg.services.queries import Question, open_query
from trialimg.services.records import EntryQuery
from trialimg.services.uploads import UploadOrder, begin_upload, receive_file

EVERY_PAGE = sorted({page for pages in PAGES.values() for page in pages})
ROLES = [role for role in Role if role is not Role.DEVICE]
SUBJECT = "S-9001"
THICK = Question("01", "thick_slices", "slices of 7 mm; the protocol allows 5 mm", "S-C0004", "C0004", "W06")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> House:
    return furnished(tmp_path_factory.mktemp("built") / "home")


@pytest.fixture
def house(built, tmp_path) -> House:
    """A copy that a test may change."""
    home = tmp_path / "home"
    shutil.copytree(built.home, home)
    return replace(built, home=home, records=replace(records(home), clock=built.records.clock))


class Opened:
    """Pages as somebody gets them."""

    def __init__(self, root: Path, house: House, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.house, self.patch = root / "apps" / "trialimg_dashboard" / "pages", house, patch
        patch.setattr(desks, "installation", lambda: installation_of(house))

    def __call__(self, actor: Actor, name: str, *, language: str = "en", **state: object) -> AppTest:
        self.patch.setattr(desks, "actor_of", lambda _: actor)
        app = AppTest.from_file(str(self.folder / f"{name}.py"), default_timeout=60)
        app.session_state["language"] = language
        for word, value in state.items():
            app.session_state[word] = value
        return app.run()


@pytest.fixture
def opened(root, house, monkeypatch) -> Opened:
    return Opened(root, house, monkeypatch)


@pytest.fixture(scope="module")
def visitors(built) -> dict[Role, Actor]:
    """One of each role, of this trial alone."""
    return {
        role: at_desk(built.records, f"v-{role.value}", role, trial=TRIAL, site="01" if role is Role.SITE else "")[0]
        for role in ROLES
    }


def said(app: AppTest) -> str:
    blocks = (app.title, app.markdown, app.caption, app.info, app.warning, app.error, app.success, app.text)
    texts = [str(one.value) for block in blocks for one in block]
    return "\n".join([*texts, *(table.value.to_csv() for table in app.dataframe)])


def press(app: AppTest, label: str) -> None:
    """Tick the box of a form that says that one is sure, and submit it."""
    button = next(one for one in app.button if one.label == label)
    for box in app.checkbox:
        if box.label.startswith("I am sure"):
            box.set_value(True)
    button.click().run()


def refused_pages(house: House) -> list[tuple[str, str]]:
    with house.records.store.reading() as transaction:
        entries = list(transaction.entries(EntryQuery(action="refuse_access", object_kind="page")))
    return [(one.role, one.object_id) for one in entries]


class PageEndedError(Exception):
    """The page ended here."""


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.value)
def test_each_page_refuses_every_role_that_does_not_have_it_and_the_attempt_is_kept(built, visitors, monkeypatch, role):
    def stop() -> None:
        raise PageEndedError

    told: list[str] = []
    monkeypatch.setattr(desks, "installation", lambda: installation_of(built))
    monkeypatch.setattr(desks, "actor_of", lambda _: visitors[role])
    monkeypatch.setattr(desks.st, "stop", stop)
    monkeypatch.setattr(desks.st, "error", told.append)
    for page in EVERY_PAGE:
        before, told[:] = len(refused_pages(built)), []
        if page in PAGES[role]:
            assert desks.desk(page).actor.role is role
            assert (told, len(refused_pages(built))) == ([], before)
            continue
        with pytest.raises(PageEndedError):
            desks.desk(page)
        assert told == [f"a {role.value} may not open the page {page}; the attempt is in the audit trail"]
        assert refused_pages(built)[before:] == [(role.value, page)]


def test_every_page_asks_by_its_own_name_before_anything_else(root):
    for page in sorted((root / "apps" / "trialimg_dashboard" / "pages").glob("*.py")):
        body = ast.parse(page.read_text()).body
        first = next(one for one in body if any(isinstance(part, ast.Call) for part in ast.walk(one)))
        assert ast.unparse(first) == f"at = desk('{page.stem}')", page


def asked(house: House, *questions: Question) -> None:
    for question in questions:
        open_query(house.records, house.actor("analyst"), TRIAL, question)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_queries_are_counted_by_age_and_shown_with_their_thread(opened, house, language):
    asked(house, THICK, Question("02", "no_date", "which date?", "S-C0005"))
    app = opened(house.actor("analyst"), "quality", language=language, query=f"{TRIAL}/Q0001")
    assert not app.exception
    assert [one.value for one in app.error] == []
    assert [metric.value for metric in app.metric[:5]] == ["2", "2", "0", "0", "0"]
    assert "slices of 7 mm" in said(app)
    assert "thick_slices" in app.dataframe[0].value.to_csv()


def test_an_analyst_asks_answers_and_closes_on_the_page(opened, house):
    analyst = house.actor("analyst")
    app = opened(analyst, "quality")
    app.text_area[0].set_value("slices of 7 mm; the protocol allows 5 mm")
    next(one for one in app.text_input if one.label == "Code").set_value("thick_slices")
    press(app, "Ask a site")
    assert [one.value for one in app.error] == []
    app = opened(analyst, "quality", query=f"{TRIAL}/Q0001")
    app.text_area[0].set_value("sent again at 2 mm")
    press(app, "Answer")
    assert "where the site's answer comes from" in app.error[0].value
    app = opened(analyst, "quality", query=f"{TRIAL}/Q0001")
    app.text_area[0].set_value("sent again at 2 mm")
    next(one for one in app.text_input if one.label == "Where the answer comes from").set_value("e-mail of 2026-03-04")
    press(app, "Answer")
    assert "answered" in said(opened(analyst, "quality", query=f"{TRIAL}/Q0001"))


def test_a_site_sees_and_answers_its_own_queries_and_no_others(opened, house):
    asked(house, THICK, Question("02", "no_date", "which date?", "S-C0005"))
    sid, _ = at_desk(house.records, "sid", Role.SITE, trial=TRIAL, site="02")
    app = opened(sid, "queries", query=f"{TRIAL}/Q0002")
    assert app.dataframe[0].value["Subject"].tolist() == ["S-C0005"]
    assert "S-C0004" not in said(app)
    assert [button.label for button in app.button if button.label in ("Answer", "Close the query")] == ["Answer"]
    app.text_area[0].set_value("the second of March")
    press(app, "Answer")
    assert [one.value for one in app.error] == []
    assert "answered" in said(opened(sid, "queries", query=f"{TRIAL}/Q0002"))
    assert "slices of 7 mm" not in said(opened(sid, "queries", query=f"{TRIAL}/Q0001"))


def sent(house: House, **facts: object) -> str:
    """An upload with one series of three slices."""
    analyst, desk = house.actor("analyst"), intake(house.home)
    begun = begin_upload(house.records, analyst, UploadOrder(TRIAL, "01", SUBJECT))
    folder = desk.of(begun)
    folder.make()
    told = {"PatientID": SUBJECT, "PatientIdentityRemoved": "YES", "StudyDate": "20260105", **facts}
    for number, data in enumerate(stack(np.arange(36, dtype=np.int16).reshape(3, 3, 4), **told)):
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        path = folder.incoming / str(number)
        data.save_as(path, enforce_file_format=True)
        list(receive_file(house.records, analyst, desk, begun.id, path=path))
    return begun.id


def test_the_cohort_counts_open_queries_and_late_visits_and_filters_by_them(opened, house):
    asked(house, THICK)
    house.records.clock.moment += dt.timedelta(days=60)
    house.actors.clear()
    app = opened(house.actor("analyst"), "cohort")
    assert [one.value for one in app.error] == []
    values = {metric.label: metric.value for metric in app.metric}
    assert values["Open queries"] == "1"
    app.button_group(key="cohort_attention").set_value(["has_queries"]).run()
    table = app.dataframe[0].value.set_index("Case")
    assert table.index.tolist() == ["C0004"]
    assert table.loc["C0004", "Open queries"] == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_upload_is_begun_and_found_again(opened, house, language):
    analyst = house.actor("analyst")
    app = opened(analyst, "upload", language=language)
    assert not app.exception
    assert app.info
    app.text_input[0].set_value(SUBJECT)
    app.checkbox[0].set_value(True)
    app.button[0].click().run()
    assert [one.value for one in app.error] == []
    again = opened(analyst, "upload", language=language)
    assert any(SUBJECT in option for box in again.selectbox for option in box.options)


def test_a_subject_is_named_by_a_code_on_the_page_too(opened, house):
    app = opened(house.actor("analyst"), "upload")
    app.text_input[0].set_value("Zhang Wei")
    press(app, "Begin an upload")
    assert "letters, digits" in app.error[0].value


def test_what_came_is_shown_with_the_reasons_of_what_did_not_and_handed_over(opened, house):
    analyst = house.actor("analyst")
    upload = sent(house)
    sent_twice = intake(house.home)
    path = sent_twice.folder / "letter"
    path.write_text("Dear colleague")
    with house.records.store.reading() as transaction:
        list(receive_file(house.records, analyst, sent_twice, upload, path=path))
        assert transaction is not None
    app = opened(analyst, "upload")
    assert app.metric[0].value == "3"
    assert app.dataframe[0].value["Refused because"].tolist() == ["not_dicom"]
    assert app.dataframe[1].value["Slices"].tolist() == [3]
    app.selectbox(key=f"visit-{uid(1)}").set_value("BL")
    press(app, "Hand over to the case")
    assert "look at the images first" in said(app)
    app = opened(analyst, "upload")
    app.selectbox(key=f"visit-{uid(1)}").set_value("BL")
    next(box for box in app.checkbox if box.label.startswith("I looked at the images")).set_value(True)
    press(app, "Hand over to the case")
    assert [one.value for one in app.error] == []
    with house.records.store.reading() as transaction:
        case = transaction.current("case", f"{TRIAL}/{SUBJECT}")
        assert [one["id"] for one in case.body["timepoints"]] == ["BL"]
    assert f"{SUBJECT}" in opened(analyst, "cohort").dataframe[0].value.to_csv()


def test_an_upload_is_given_up_with_a_reason(opened, house):
    upload = sent(house)
    app = opened(house.actor("analyst"), "upload")
    reasons = [one for one in app.text_input if one.label.startswith("Reason")]
    reasons[0].set_value("of another subject")
    press(app, "Give the upload up")
    assert [one.value for one in app.error] == []
    with house.records.store.reading() as transaction:
        assert transaction.current("upload", upload).place.state == "abandoned"

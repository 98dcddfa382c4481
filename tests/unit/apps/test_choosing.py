"""What a person chose in a table stays what they chose, however its rows move meanwhile."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from apps.trialimg_dashboard.views import choosing
from apps.trialimg_dashboard.views.choosing import chosen_in


class Browser:
    """Keeps the marked rows of each table as Streamlit does: for as long as that table is drawn."""

    def __init__(self) -> None:
        self.session_state: dict = {}
        self.drawn = ""

    def dataframe(self, _shown, *, key, **_look):
        if key != self.drawn:
            self.session_state.pop(self.drawn, None)
            self.drawn = key
        state = self.session_state.setdefault(key, {"selection": {"rows": []}})
        return SimpleNamespace(selection=SimpleNamespace(rows=state["selection"]["rows"]))

    def mark(self, *rows: int) -> None:
        self.session_state[self.drawn] = {"selection": {"rows": list(rows)}}


@pytest.fixture
def browser(monkeypatch) -> Browser:
    made = Browser()
    monkeypatch.setattr(choosing, "st", made)
    return made


def drawn(*names: str, leaves: bool = False) -> str:
    return chosen_in(pd.DataFrame({"name": names}), names, key="table", leaves=leaves)


def test_nothing_is_chosen_until_somebody_chooses_and_the_choice_can_be_taken_back(browser):
    assert drawn("a", "b") == ""
    browser.mark(1)
    assert drawn("a", "b") == "b"
    browser.mark()
    assert drawn("a", "b") == ""


def test_a_choice_in_a_table_that_has_moved_is_of_the_row_that_was_seen(browser):
    drawn("a", "b")
    browser.mark(1)
    assert drawn("new", "a", "b") == "b"
    assert drawn("new", "a", "b") == "b", "it is forgotten at the next click elsewhere"
    browser.mark(0)
    assert drawn("new", "a", "b") == "new"
    browser.mark()
    assert drawn("new", "a", "b") == ""


def test_what_was_chosen_and_is_gone_is_not_chosen_nor_what_took_its_place(browser):
    drawn("a", "b")
    browser.mark(0)
    assert drawn("b", "c") == ""


def test_a_choice_that_leads_away_does_not_lead_away_again_on_coming_back(browser):
    drawn("a", "b", leaves=True)
    browser.mark(1)
    assert drawn("new", "a", "b", leaves=True) == "b"
    assert drawn("new", "a", "b", leaves=True) == ""

"""Central against investigator: the rates of early and late discrepancies, by the paper's definitions."""

from __future__ import annotations

import datetime as dt

import pytest

from trialimg.endpoints.settings import EndpointSettings
from trialimg.services.analyse_endpoints import Discrepancies, central_document, discrepancies
from trialimg.services.annotations import read_subjects

D = [dt.date(2024, 1, 1) + dt.timedelta(days=7 * week) for week in range(10)]


def test_each_way_of_disagreeing_is_counted_once() -> None:
    central = [D[1], D[1], D[4], D[1], None, None]
    investigator = [D[1], D[4], D[1], None, D[2], None]
    found = discrepancies(central, investigator)
    assert found == Discrepancies(same=1, later=1, earlier=1, investigator_only=1, central_only=1, neither=1)
    assert found.early_rate == (1 + 1) / 4
    assert found.late_rate == (1 + 1) / 4


def test_rates_of_nothing_are_not_zero() -> None:
    assert discrepancies([None], [None]).early_rate is None
    assert discrepancies([D[1]], [D[1]]).late_rate is None


@pytest.mark.parametrize(("tolerance", "same"), [(0, 0), (6, 0), (7, 2), (60, 2)])
def test_dates_close_together_are_one_where_told_so(tolerance: int, same: int) -> None:
    assert discrepancies([D[1], D[4]], [D[2], D[3]], tolerance_days=tolerance).same == same


def test_differential_rates_compare_the_arms() -> None:
    subjects = read_subjects(
        "subject,arm,reference_date\nS1,A,2024-01-01\nS2,A,2024-01-01\nS3,B,2024-01-01\nS4,B,2024-01-01\n"
    )
    rows = [f"S{i},{D[9]},{word}" for i, word in ((1, "PD"), (2, "SD"), (3, "PD"), (4, "SD"))]
    central = "subject,date,response\n" + "\n".join(rows) + "\n"
    investigator = central.replace("S2,2024-03-04,SD", "S2,2024-03-04,PD")
    found = central_document((central, "c.csv"), (investigator, "i.csv"), subjects, EndpointSettings(), confidence=0.95)
    assert found["progression"]["differential_early"] == 0.5
    assert found["progression"]["differential_late"] is None
    assert found["best_response"]["agreement"]["estimate"] == 0.75
    assert found["best_response"]["table"][1] == {"central": "PD", "investigator SD": 0, "investigator PD": 2}

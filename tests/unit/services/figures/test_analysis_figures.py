"""Survival, forest, Bland-Altman, flow and volcano as data: their numbers are those of the analyses."""

from __future__ import annotations

import math

import pytest

from tests.fakes.results import trial_result
from trialimg.core.errors import ReadingError
from trialimg.services.analyse_agreement import measurement_document
from trialimg.services.analyse_subgroups import Compared, hazard_subgroups, rate_subgroups
from trialimg.services.analyse_survival import ModelColumns, TimeColumns, cox_document, km_document, logrank_document
from trialimg.services.analyse_table import Kind, Selection, Wanted, read_analysis_table, select
from trialimg.services.figures.adjudication import ReviewedCase, adjudication_flow, cases_of_table
from trialimg.services.figures.bland_altman import Pairs, agreement_limits, bland_altman_figure
from trialimg.services.figures.courses import NO_IMPRINT, courses_of_result
from trialimg.services.figures.figure import Band, Box, Line, Point, Shape, Text
from trialimg.services.figures.forest_of_subgroups import forest_of_subgroups
from trialimg.services.figures.kaplan_meier import CLOCKS, Curves, Endpoint, kaplan_meier_figure, survival_of_trial
from trialimg.services.figures.survival_of_table import Limits, survival_of_table
from trialimg.services.figures.volcano import associations, volcano
from trialimg.stats.survival import kaplan_meier

TIMES = {
    ("A", "f"): (72, 228, 118, 82, 314, 42),
    ("A", "m"): (411, 126, 10, 110, 100, 8),
    ("B", "f"): (144, 11, 384, 54, 123, 153),
    ("B", "m"): (25, 30, 4, 13, 97, 59),
}
CENSORED = {100, 123, 25, 97}
ROWS = [(time, int(time not in CENSORED), arm, sex) for (arm, sex), times in TIMES.items() for time in times]


@pytest.fixture(scope="module")
def data() -> Selection:
    text = "time,event,arm,sex\n" + "\n".join(",".join(map(str, row)) for row in ROWS)
    wanted = [
        Wanted("time", Kind.TIME),
        Wanted("event", Kind.EVENT),
        Wanted("arm", Kind.WORD),
        Wanted("sex", Kind.WORD),
    ]
    return select(read_analysis_table(text, "v.csv"), wanted)


def of_arm(arm: str) -> tuple[list[int], list[int]]:
    rows = [row for row in ROWS if row[2] == arm]
    return [row[0] for row in rows], [row[1] for row in rows]


COLUMNS = TimeColumns("time", "event", "arm", ("A", "B"))
ENDPOINT = Endpoint("Survival", "Alive", CLOCKS["weeks"], "")


class TestKaplanMeier:
    def test_its_numbers_are_those_of_the_analysis(self, data: Selection) -> None:
        figure = survival_of_table(data, COLUMNS, (), ENDPOINT, limits=Limits(), imprint=NO_IMPRINT)
        document = km_document(data, COLUMNS, confidence=0.95, limits="log-log", quantiles=(), at=())
        for drawn, found in zip(figure.numbers["groups"], document["groups"], strict=True):
            keys = ("group", "n", "events", "median", "median_lower", "median_upper")
            assert {key: drawn[key] for key in keys} == {key: found[key] for key in keys}
        test = logrank_document(data, COLUMNS, strata=(), weights=(0.0, 0.0))
        assert figure.numbers["test"]["p"] == test["p"]
        assert figure.panels[0].notes == (f"Log-rank p = {test['p']:.3f}, two-sided",)

    def test_the_steps_are_the_curve_and_the_ticks_the_censored(self, data: Selection) -> None:
        figure = survival_of_table(data, COLUMNS, (), ENDPOINT, limits=Limits(), imprint=NO_IMPRINT)
        curve = kaplan_meier(*of_arm("B"), label="B")
        line = next(m for m in figure.panels[0].marks if isinstance(m, Line) and m.is_step and m.about == "B")
        assert line.points == tuple(zip(curve.time_days, curve.survival, strict=True))
        ticks = [m for m in figure.panels[0].marks if isinstance(m, Point) and m.about.startswith("B,")]
        assert sorted(m.x for m in ticks) == [25, 97, 123]

    def test_the_band_is_that_of_the_curve(self, data: Selection) -> None:
        figure = survival_of_table(data, COLUMNS, (), ENDPOINT, limits=Limits("plain"), imprint=NO_IMPRINT)
        curve = kaplan_meier(*of_arm("A"), label="A", limits="plain")
        limits = zip(curve.time_days[:-1], curve.lower, curve.upper, strict=False)
        known = {(time, low, high) for time, low, high in limits if low is not None}
        drawn = {point for m in figure.panels[0].marks if isinstance(m, Band) for point in m.points}
        assert known <= drawn

    def test_at_risk_is_counted_just_before_and_adds_up(self, data: Selection) -> None:
        figure = survival_of_table(data, COLUMNS, (), ENDPOINT, limits=Limits(), imprint=NO_IMPRINT)
        for row, arm in zip(figure.panels[0].rows, "AB", strict=True):
            for cell in row.cells:
                left = sum(r[0] >= cell.at for r in ROWS if r[2] == arm)
                gone = sum(r[0] < cell.at and not r[1] for r in ROWS if r[2] == arm)
                assert cell.text == f"{left} ({gone})"

    def test_strata_have_a_panel_each_and_one_stratified_test(self, data: Selection) -> None:
        figure = survival_of_table(data, COLUMNS, ("sex",), ENDPOINT, limits=Limits(), imprint=NO_IMPRINT)
        assert [panel.title for panel in figure.panels] == ["sex: f", "sex: m"]
        test = logrank_document(data, COLUMNS, strata=("sex",), weights=(0.0, 0.0))
        assert figure.numbers["test"]["chi2"] == test["chi2"]
        assert figure.panels[0].notes[0].startswith("Stratified log-rank")

    def test_a_trial_s_curves_are_those_of_its_cohort(self) -> None:
        result = trial_result(key_images=False)
        numbers = survival_of_trial(courses_of_result(result)).numbers
        for drawn, arm in zip(numbers["groups"], "AB", strict=True):
            curve = dict(result.cohort.progression_free)[arm]
            assert (drawn["median"], drawn["data_digest"]) == (curve.median_days.value, curve.data_digest)
        assert result.cohort.log_rank is not None
        assert numbers["test"]["p"] == pytest.approx(result.cohort.log_rank.p, rel=1e-12)

    def test_where_all_are_censored_the_median_is_said_not_to_be_reached(self) -> None:
        figure = kaplan_meier_figure([Curves((kaplan_meier([5, 9], [0, 0], label="A"),))])
        assert figure.legend[0].text == "A: 0 events in 2, median in months not reached"
        assert figure.numbers["groups"][0]["median"] is None

    def test_nobody_gives_words(self) -> None:
        figure = kaplan_meier_figure([Curves((kaplan_meier([], [], label="A"),))])
        assert (figure.panels, figure.message) == ((), "Nobody has a time: there is nothing to draw.")


class TestForest:
    def test_each_row_is_a_cox_model_of_its_subgroup(self, data: Selection) -> None:
        columns = Compared("event", "arm", ("A", "B"), ("sex",), "time")
        document = hazard_subgroups(data, columns, confidence=0.95)
        model = ModelColumns("time", "event", ("arm",))
        whole = cox_document(data, model, factors={"arm": "A"}, ties="efron", robust=False, confidence=0.95)["terms"][0]
        assert document["overall"]["estimate"] == whole["hr"]
        women = data.where([cell == "f" for cell in data.columns["sex"]])
        part = cox_document(women, model, factors={"arm": "A"}, ties="efron", robust=False, confidence=0.95)["terms"][0]
        level = document["factors"][0]["levels"][0]
        assert (level["estimate"], level["lower"], level["upper"]) == (part["hr"], part["lower"], part["upper"])
        assert [arm["n"] for arm in level["arms"]] == [6, 6]

    def test_the_interaction_is_the_likelihood_ratio_of_the_product(self, data: Selection) -> None:
        columns = Compared("event", "arm", ("A", "B"), ("sex",), "time")
        found = hazard_subgroups(data, columns, confidence=0.95)["factors"][0]["interaction"]
        assert found["df"] == 1
        assert 0 < found["p"] < 1
        assert found["chi2"] >= 0

    def test_marks_stand_at_the_estimates(self, data: Selection) -> None:
        columns = Compared("event", "arm", ("A", "B"), ("sex",), "time")
        document = hazard_subgroups(data, columns, confidence=0.95)
        figure = forest_of_subgroups(document, columns, imprint=NO_IMPRINT)
        squares = [m.x for m in figure.panels[0].marks if isinstance(m, Point) and m.shape is Shape.SQUARE]
        assert squares == [level["estimate"] for level in document["factors"][0]["levels"]]
        (diamond,) = (m for m in figure.panels[0].marks if isinstance(m, Band))
        assert diamond.points[1][0] == document["overall"]["estimate"]
        assert figure.panels[0].x.is_log
        assert figure.panels[0].rules[0].at == 1.0

    def test_a_subgroup_without_an_estimate_is_listed_with_words(self, data: Selection) -> None:
        pairs = zip(data.columns["sex"], data.columns["arm"], strict=True)
        few = data.where([pair != ("m", "B") for pair in pairs])
        columns = Compared("event", "arm", ("A", "B"), ("sex",))
        document = rate_subgroups(few, columns, method="miettinen_nurminen", confidence=0.95)
        men = document["factors"][0]["levels"][1]
        assert men["estimate"] is None
        figure = forest_of_subgroups(document, columns, imprint=NO_IMPRINT)
        said = [cell.text for cell in figure.panels[0].columns[-1].cells]
        assert not any(char.isdigit() for char in said[-1])
        assert not figure.panels[0].x.is_log

    def test_a_third_arm_is_refused(self, data: Selection) -> None:
        with pytest.raises(ReadingError, match="has also B"):
            rate_subgroups(data, Compared("event", "arm", ("A", "C")), method="newcombe", confidence=0.95)


class TestBlandAltman:
    # Bland JM, Altman DG. Lancet 1986, table 1: peak expiratory flow, large and mini Wright meter, first readings
    LARGE = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
    MINI = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)

    def test_bias_and_limits_are_those_of_the_analysis(self) -> None:
        pairs = Pairs(self.LARGE, self.MINI, "large", "mini", "l/min")
        figure = bland_altman_figure(pairs, agreement_limits(pairs))
        assert figure.numbers["bias"]["estimate"] == pytest.approx(-2.1, abs=0.05)
        assert figure.numbers["sd"] == pytest.approx(38.8, abs=0.05)  # as printed in the paper
        text = "large,mini\n" + "\n".join(f"{a},{b}" for a, b in zip(self.LARGE, self.MINI, strict=True))
        data = select(read_analysis_table(text, "x"), [Wanted("large", Kind.NUMBER), Wanted("mini", Kind.NUMBER)])
        found = measurement_document(data, ("large", "mini"), form="ICC2", confidence=0.95)["bland_altman"]
        assert figure.numbers["upper_limit"]["estimate"] == found["upper_limit"]
        assert figure.numbers["lower_limit"]["lower"] == found["limits"]["lower"]["lower"]

    def test_every_pair_stands_at_its_mean_and_difference(self) -> None:
        pairs = Pairs(self.LARGE, self.MINI, "large", "mini")
        points = [
            m for m in bland_altman_figure(pairs, agreement_limits(pairs)).panels[0].marks if isinstance(m, Point)
        ]
        assert [(p.x, p.y) for p in points] == [
            ((a + b) / 2, a - b) for a, b in zip(self.LARGE, self.MINI, strict=True)
        ]

    def test_ratios_are_compared_on_logarithms_and_shown_as_ratios(self) -> None:
        pairs = Pairs(self.LARGE, self.MINI, "large", "mini", are_ratios=True)
        figure = bland_altman_figure(pairs, limits := agreement_limits(pairs))
        assert limits.bias.value is not None
        logs = [math.log(a / b) for a, b in zip(self.LARGE, self.MINI, strict=True)]
        assert figure.numbers["bias"]["estimate"] == pytest.approx(math.exp(sum(logs) / len(logs)))
        assert figure.panels[0].y.is_log

    def test_a_ratio_of_nothing_is_refused(self) -> None:
        with pytest.raises(ReadingError, match="above 0"):
            agreement_limits(Pairs((1.0, 2.0, 0.0), (1.0, 2.0, 3.0), "a", "b", are_ratios=True))


class TestFlow:
    CASES = (
        ReviewedCase("1", True, (), ""),
        ReviewedCase("2", True, ("best_response",), "first"),
        ReviewedCase("3", True, ("best_response", "progression_date"), "second"),
        ReviewedCase("4", True, ("progression_date",), ""),
        ReviewedCase("5", True, None, ""),
        ReviewedCase("6", False, None, ""),
        ReviewedCase("7", True, (), "", is_withdrawn=True),
    )

    def test_every_case_stands_in_one_end(self) -> None:
        count = adjudication_flow(self.CASES).numbers
        ends = ("withdrawn", "awaiting_reads", "not_compared", "concordant", "first_chosen", "second_chosen")
        assert sum(count[end] for end in ends) + count["awaiting_adjudication"] == count["cases"] == 7
        assert count["discordant"] == 3
        assert count["differs_in"] == {"best_response": 2, "progression_date": 2}

    def test_boxes_say_the_counts_with_their_shares(self) -> None:
        boxes = {m.lines[0]: m.lines for m in adjudication_flow(self.CASES).panels[0].marks if isinstance(m, Box)}
        assert boxes["Concordant"][1] == "n = 1 (20.0 %)"
        assert boxes["First read chosen"][1] == "n = 1 (50.0 %)"
        assert "withdrawn: 1" in boxes["Not read by both"]

    def test_a_table_of_cases_is_read_strictly(self) -> None:
        text = "case,read_twice,differs,chosen\n1,yes,none,\n2,yes,best_response; progression_date,second\n3,no,,\n"
        cases = cases_of_table(text, "c.csv")
        assert [case.differs for case in cases] == [(), ("best_response", "progression_date"), None]
        with pytest.raises(ReadingError) as refused:
            cases_of_table("case,read_twice,differs,chosen\n1,perhaps,none,third\n2,yes,none,first\n", "c.csv")
        assert len(refused.value.faults) == 4


class TestVolcano:
    FOUND = associations(["a", "b", "c", "d"], [1.5, -2.0, 0.1, 0.4], [0.001, 0.004, 0.5, 0.04])

    def test_q_is_r_s_adjusted_p(self) -> None:
        # R 4.2.2: p.adjust(c(0.001, 0.004, 0.5, 0.04), "BH")
        assert [one.q for one in self.FOUND] == pytest.approx([0.004, 0.008, 0.5, 0.16 / 3])

    def test_points_stand_at_effect_and_log_q_and_the_surest_are_named(self) -> None:
        figure = volcano(self.FOUND, rate=0.05)
        points = {m.key: m for m in figure.panels[0].marks if isinstance(m, Point)}
        assert (points["a"].x, points["a"].y) == (1.5, pytest.approx(-math.log10(0.004)))
        assert [points[name].shape for name in "abc"] == [Shape.TRIANGLE, Shape.SQUARE, Shape.CIRCLE]
        assert {m.text for m in figure.panels[0].marks if isinstance(m, Text)} == {"a", "b"}
        assert figure.panels[0].rules[0].at == pytest.approx(-math.log10(0.05))

    def test_a_p_of_zero_has_a_place(self) -> None:
        figure = volcano(associations(["a"], [1.0], [0.0]))
        assert math.isfinite(figure.panels[0].y.high)

    def test_no_features_give_words(self) -> None:
        assert volcano(()).message == "There are no features: there is nothing to draw."

"""What a protocol value promises: frozen, complete, and one digest for one meaning."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal

import pytest
from pydantic import ValidationError

from tests.unit.protocol.texts import VALID, broken
from trialimg.core.digest import digest_of
from trialimg.core.reading import Seat
from trialimg.criteria import recist11
from trialimg.endpoints.settings import CrLost, EndpointSettings
from trialimg.protocol.criteria import Criterion, built_criteria, rules_type
from trialimg.protocol.load import read_protocol
from trialimg.protocol.model import Protocol, exact_text, full, protocol_digest
from trialimg.protocol.text import as_yaml

PROTOCOL = read_protocol(VALID)


class TestDigest:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("arms: [A, B]\nsites", "# a comment\n\narms:\n  - A   # blinded\n  - B\nsites"),
            ("pr_decrease: 0.30", "pr_decrease: 0.3"),
            ("pr_decrease: 0.30", "pr_decrease: 0.300"),
            ("pr_decrease: 0.30", 'pr_decrease: "0.30"'),
            ("bin_width: 25", "bin_width: 25.0"),
            ("bin_width: 25", "normalize: false"),
            ("price: 2000", "price: 2000.00"),
            ("readers: 2", "readers: 2\n  disclosure: sequential_locked"),
            ("segmenter: classical", "segmenter: classical\n  device: auto\n  parameters: {}"),
            ("    pr_decrease: 0.30", "    pd_increase: 0.2\n    pr_decrease: 0.30\n    max_targets: 5"),
            ("    censoring: fda", "    missed_visits: 2"),
            ("{id: W06, day: 43, window_days: [-7, 7]}", "{window_days: [-7, 7], day: 43, id: W06}"),
            ("price_plan:", "measurement: {}\ntracking:\n  local_margin_mm: 30\nprice_plan:"),
        ],
    )
    def test_writing_the_same_in_other_words_keeps_it(self, old: str, new: str) -> None:
        assert read_protocol(broken(old, new)).digest == PROTOCOL.digest

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("pr_decrease: 0.30", "pr_decrease: 0.301"),
            ("pr_decrease: 0.30", "max_targets: 4"),
            ("arms: [A, B]\nsites", "arms: [B, A]\nsites"),
            ("day: 43", "day: 44"),
            ("censoring: fda", "censoring: ema"),
            ("bin_width: 25", "bin_width: 20"),
            ("segmenter: classical", "segmenter: classical\n  parameters: {sigma_mm: 1.5}"),
            ('version: "1.0"', 'version: "1.1"'),
            ("price: 2000", "price: 2000.01"),
        ],
    )
    def test_any_other_meaning_changes_it(self, old: str, new: str) -> None:
        assert read_protocol(broken(old, new)).digest != PROTOCOL.digest

    def test_is_that_of_the_full_protocol(self) -> None:
        assert PROTOCOL.digest == protocol_digest(PROTOCOL) == digest_of(full(PROTOCOL))

    def test_no_default_is_left_out(self) -> None:
        said = full(PROTOCOL)
        assert said["response"]["rules"]["pd_min_increase_mm"] == "5"
        assert said["endpoints"]["settings"]["min_sd_days"] == 42
        assert said["radiomics"]["gldm_a"] == 0
        assert said["measurement"]["convention"] == "centre_to_centre_plus_half_pixel"

    def test_full_is_json_and_reads_back_as_the_same_protocol(self) -> None:
        again = Protocol.model_validate_json(json.dumps(full(PROTOCOL)))
        assert again == PROTOCOL
        assert again.digest == PROTOCOL.digest

    def test_yaml_with_every_default_reads_back_as_the_same_protocol(self) -> None:
        again = read_protocol(as_yaml(PROTOCOL))
        assert again == PROTOCOL
        assert again.digest == PROTOCOL.digest

    @pytest.mark.parametrize(
        ("number", "text"),
        [("0.70", "0.7"), ("70", "70"), ("2000.00", "2000"), ("1E+3", "1000"), ("0.000", "0"), ("-7.50", "-7.5")],
    )
    def test_a_number_has_one_text(self, number: str, text: str) -> None:
        assert exact_text(Decimal(number)) == text


class TestValues:
    def test_thresholds_are_exact(self) -> None:
        assert PROTOCOL.response.rules.pr_decrease == Decimal("0.30")
        assert read_protocol(broken("price: 2000", "price: 0.1")).price_plan is not None
        plan = read_protocol(broken("price: 2000", "price: 45.10")).price_plan
        assert plan is not None
        assert plan.items[0].price == Decimal("45.10")

    def test_rules_are_those_of_the_criterion_with_the_overrides(self) -> None:
        assert PROTOCOL.response.rules == recist11.Rules()
        strict = read_protocol(broken("pr_decrease: 0.30", "strict: true"))
        assert strict.response.rules == recist11.Rules(strict=True)

    def test_a_profile_brings_its_own_settings_which_may_be_overridden(self) -> None:
        eortc = read_protocol(broken("censoring: fda", "profile: eortc"))
        assert eortc.endpoints.settings.cr_lost is CrLost.AMEND_TO_PR
        own = read_protocol(broken("censoring: fda", "profile: eortc\n    cr_lost: as_read"))
        assert own.endpoints.settings.cr_lost is CrLost.AS_READ

    def test_endpoints_know_the_planned_visits(self) -> None:
        settings = PROTOCOL.endpoints.settings
        assert isinstance(settings, EndpointSettings)
        assert [(v.id, v.first_day, v.day, v.last_day) for v in settings.schedule] == [
            ("W06", 36, 43, 50),
            ("W12", 78, 85, 92),
        ]
        without = read_protocol(broken("endpoints:\n  settings:\n    censoring: fda\n", ""))
        assert without.endpoints.settings == settings

    def test_seats_follow_from_the_reading_design(self) -> None:
        assert PROTOCOL.reading.seats == (Seat.FIRST, Seat.SECOND, Seat.ADJUDICATOR)

    def test_a_protocol_is_frozen_and_travels_to_other_processes(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            PROTOCOL.arms = ("X",)
        assert pickle.loads(pickle.dumps(PROTOCOL)) == PROTOCOL

    def test_a_protocol_built_in_python_cannot_contradict_itself_either(self) -> None:
        said = full(PROTOCOL) | {"arms": ["C", "D"]}
        with pytest.raises(ValidationError, match="'A' is not an arm"):
            Protocol.model_validate_json(json.dumps(said))


class TestCriteria:
    def test_recist_1_1_is_built(self) -> None:
        assert Criterion.RECIST_1_1 in built_criteria()
        assert rules_type(Criterion.RECIST_1_1) is recist11.Rules

    def test_every_criterion_that_is_known_is_built(self) -> None:
        assert set(built_criteria()) == set(Criterion)

    def test_a_criterion_that_is_not_built_is_accepted_with_its_rules_as_written(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("trialimg.protocol.analysis.rules_type", lambda _: None)
        text = broken("criterion: recist11", "criterion: gcig")
        assert read_protocol(text).response.rules == {"pr_decrease": 0.3}

"""Broken protocols, each with the exact faults that its author must be told: line, path of keys, reason code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.protocol.texts import VALID, broken
from trialimg.core.errors import ProtocolError
from trialimg.protocol.faults import ProtocolFault
from trialimg.protocol.load import load_protocol, read_protocol

Expected = list[tuple[int, str, str]]


def faults(text: str) -> list[ProtocolFault]:
    with pytest.raises(ProtocolError) as refusal:
        read_protocol(text)
    return [fault for fault in refusal.value.faults if isinstance(fault, ProtocolFault)]


def places(text: str) -> Expected:
    return [(fault.line, fault.key, fault.code) for fault in faults(text)]


def test_the_text_that_is_broken_below_is_valid() -> None:
    assert read_protocol(VALID).trial.id == "T-1"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # keys
        ("segmenter: classical", "segmentor: classical",
         [(13, "segmentation.segmenter", "missing_key"), (14, "segmentation.segmentor", "unknown_key")]),
        ("acquisition:", "aquisition:", [(1, "acquisition", "missing_key"), (10, "aquisition", "unknown_key")]),
        ("schema: trialimg/protocol/v1\n", "", [(1, "schema", "missing_key")]),
        ("/v1", "/v2", [(1, "schema", "unknown_word")]),
        ("  bin_width: 25", "  binWidth: 25", [(20, "radiomics.binWidth", "unknown_key")]),
        ("readers: 2", "readers: 2\n  reeders: 1", [(23, "reading.reeders", "unknown_key")]),
        ("  rules:", "  rulez: {}\n  rules:", [(17, "response.rulez", "unknown_key")]),
        # types are not guessed
        ('version: "1.0"', "version: 1.0", [(2, "trial.version", "wrong_type")]),
        ('["01", "02"]', '[1, "02"]', [(4, "sites[0]", "wrong_type")]),
        ("day: 43", 'day: "43"', [(8, "schedule.visits[0].day", "wrong_type")]),
        ("day: 43", "day: 43.5", [(8, "schedule.visits[0].day", "wrong_type")]),
        ("readers: 2", "readers: true", [(22, "reading.readers", "wrong_type")]),
        ("window_days: [-28, 1]", "window_days: -28", [(6, "schedule.baseline.window_days", "wrong_type")]),
        ("window_days: [-28, 1]", "window_days: [-28]", [(6, "schedule.baseline.window_days[1]", "missing_key")]),
        ("segmentation:\n  segmenter: classical", "segmentation: classical", [(13, "segmentation", "wrong_type")]),
        ("price: 2000", "price: much", [(33, "price_plan.items[0].price", "wrong_type")]),
        # words
        ("modality: CT", "modality: CR", [(11, "acquisition[0].modality", "unknown_word")]),
        ("variable: best_response", "variable: best_respons",
         [(24, "reading.adjudication[0].variable", "unknown_word")]),
        ("criterion: recist11", "criterion: recist",
         [(16, "response.criterion", "unknown_word")]),
        # ranges
        ("max_slice_thickness_mm: 5", "max_slice_thickness_mm: 0",
         [(12, "acquisition[0].max_slice_thickness_mm", "out_of_range")]),
        ("day: 43", "day: 0", [(8, "schedule.visits[0].day", "out_of_range")]),
        ("bin_width: 25", "bin_width: -25", [(20, "radiomics.bin_width", "out_of_range")]),
        ("price: 2000", "price: -1", [(33, "price_plan.items[0].price", "out_of_range")]),
        ("readers: 2", "readers: 3", [(22, "reading.readers", "out_of_range")]),
        ("compare_arms: [A, B]", "compare_arms: [A, B]\n  confidence: 95",
         [(30, "statistics.confidence", "out_of_range")]),
        ("arms: [A, B]\nsites", "arms: []\nsites",
         [(3, "arms", "empty"), (29, "statistics.compare_arms[0]", "unknown_arm"),
          (29, "statistics.compare_arms[1]", "unknown_arm")]),
        # formats
        ("id: T-1", "id: T 1", [(2, "trial.id", "bad_format")]),
        ("currency: CNY", "currency: RMB¥", [(31, "price_plan.currency", "bad_currency")]),
        # names used twice
        ("arms: [A, B]\nsites", "arms: [A, B, A]\nsites", [(3, "arms[2]", "duplicate")]),
        ('["01", "02"]', '["01", "01"]', [(4, "sites[1]", "duplicate")]),
        ("id: W12", "id: W06", [(9, "schedule.visits[1].id", "duplicate")]),
        ("id: W12", "id: BL", [(9, "schedule.visits[1].id", "duplicate")]),
        ("id: W12", "id: UNS-2024", [(9, "schedule.visits[1].id", "reserved")]),
        ("item: read", "item: case", [(34, "price_plan.items[1].item", "duplicate")]),
        ("    - {variable: best_response}", "    - {variable: best_response}\n    - {variable: best_response}",
         [(25, "reading.adjudication[1].variable", "duplicate")]),
        ("    max_slice_thickness_mm: 5", "    max_slice_thickness_mm: 5\n  - modality: CT",
         [(13, "acquisition[1].modality", "duplicate")]),
        # the schedule
        ("[-28, 1]", "[-28, 5]", [(6, "schedule.baseline.window_days", "baseline_after_reference")]),
        ("[-28, 1]", "[1, -28]", [(6, "schedule.baseline.window_days", "window_reversed")]),
        ("[-28, 1]", "[-28, 0]", [(6, "schedule.baseline.window_days", "no_day_0")]),
        ("day: 85", "day: 57", [(9, "schedule.visits[1].window_days", "windows_overlap")]),
        ("day: 85", "day: 43", [(9, "schedule.visits[1].day", "visits_out_of_order")]),
        ("day: 43, window_days: [-7, 7]", "day: 43, window_days: [7, 14]",
         [(8, "schedule.visits[0].window_days", "window_off_day")]),
        ("day: 43, window_days: [-7, 7]", "day: 5, window_days: [-7, 7]",
         [(8, "schedule.visits[0].window_days", "window_before_reference")]),
        # sections that contradict one another
        ("compare_arms: [A, B]", "compare_arms: [A, C]", [(29, "statistics.compare_arms[1]", "unknown_arm")]),
        ("compare_arms: [A, B]", "compare_arms: [A]", [(29, "statistics.compare_arms", "one_arm")]),
        ("readers: 2", "readers: 1", [(23, "reading.adjudication", "needs_two_readers")]),
        ("  adjudication:\n    - {variable: best_response}\n", "", [(21, "reading.adjudication", "no_adjudication")]),
        ("{variable: best_response}", "{variable: best_response, tolerance_days: 3}",
         [(24, "reading.adjudication[0].tolerance_days", "not_applicable")]),
        ("segmenter: classical", "segmenter: classical\n  model: m.pt",
         [(13, "segmentation.model_digest", "missing_key")]),
        ("segmenter: classical", "segmenter: classical\n  model_digest: sha256:" + "0" * 64,
         [(15, "segmentation.model_digest", "digest_without_model")]),
        ("segmenter: classical", "segmenter: monai_bundle",
         [(13, "segmentation.model", "missing_key"), (13, "segmentation.model_digest", "missing_key")]),
        ("segmenter: classical", "segmenter: monai_bundle\n  model: b\n  model_digest: sha256:abc",
         [(16, "segmentation.model_digest", "bad_format")]),
        ("bin_width: 25", "bin_width: 25\n  bin_count: 32", [(20, "radiomics.bin_width", "one_of_two")]),
        ("arms: [A, B]\nsites",
         "deidentification:\n  options:\n    - {0}_full_dates\n    - {0}_modified_dates\narms: [A, B]\nsites".format(
             "retain_longitudinal_temporal_information"),
         [(6, "deidentification.options[1]", "contradiction")]),
        # settings of the criterion and of the endpoints
        ("pr_decrease: 0.30", "pr_decreas: 0.30", [(18, "response.rules.pr_decreas", "unknown_key")]),
        ("pr_decrease: 0.30", "pr_decrease: 30 %", [(18, "response.rules.pr_decrease", "wrong_type")]),
        ("pr_decrease: 0.30", "pr_decrease: 30", [(18, "response.rules.pr_decrease", "bad_value")]),
        ("pr_decrease: 0.30", "pr_hold: hold", [(18, "response.rules.pr_hold", "unknown_word")]),
        ("pr_decrease: 0.30", "strict: 1", [(18, "response.rules.strict", "wrong_type")]),
        ("pr_decrease: 0.30", "confirmation_days: 56",
         [(26, "endpoints.settings.confirmation_days", "contradiction")]),
        ("pr_decrease: 0.30", "baseline_window_days: 21",
         [(18, "response.rules.baseline_window_days", "contradiction")]),
        ("censoring: fda", "censoring: nmpa", [(27, "endpoints.settings.censoring", "unknown_word")]),
        ("censoring: fda", "schedule: []", [(27, "endpoints.settings.schedule", "not_here")]),
        ("censoring: fda", "max_nee: 2", [(27, "endpoints.settings.max_nee", "unknown_key")]),
        ("  settings:\n    censoring: fda", "  settings: fda", [(26, "endpoints.settings", "wrong_type")]),
        # YAML
        ("readers: 2", "readers: 2\n  readers: 1", [(23, "reading.readers", "duplicate_key")]),
        ("arms: [A, B]\nsites", "arms: [NO, B]\nsites",
         [(3, "arms[0]", "ambiguous"), (29, "statistics.compare_arms[0]", "unknown_arm")]),
    ],
)  # fmt: skip
def test_one_fault_is_named_at_its_place(old: str, new: str, expected: Expected) -> None:
    assert places(broken(old, new)) == expected


def test_every_fault_is_named_at_once() -> None:
    text = VALID
    for old, new in (
        ("id: T-1", "id: T 1"),
        ("id: W12, day: 85", "id: W06, day: eighty"),
        ("modality: CT", "modality: CT\n    kernel: B30f"),
        ("pr_decrease: 0.30", "pr_decrease: x\n    pd_increas: 0.2"),
        ("readers: 2", "readers: 3\n  ordr: randomised"),
        ("item: read", "item: case, cost: 1"),
        ("compare_arms: [A, B]", "compare_arms: [A, C]\ntrail: {}"),
    ):
        text = broken(old, new, text)
    assert places(text) == [
        (2, "trial.id", "bad_format"),
        (9, "schedule.visits[1].id", "duplicate"),
        (9, "schedule.visits[1].day", "wrong_type"),
        (12, "acquisition[0].kernel", "unknown_key"),
        (19, "response.rules.pr_decrease", "wrong_type"),
        (20, "response.rules.pd_increas", "unknown_key"),
        (24, "reading.readers", "out_of_range"),
        (25, "reading.ordr", "unknown_key"),
        (32, "statistics.compare_arms[1]", "unknown_arm"),
        (33, "trail", "unknown_key"),
        (38, "price_plan.items[1].item", "duplicate"),
        (38, "price_plan.items[1].cost", "unknown_key"),
    ]


def test_a_default_contradicts_too_when_another_section_is_broken() -> None:
    text = broken("pr_decrease: 0.30", "confirmation_days: 56", broken("id: T-1", "id: T 1"))
    assert [code for _, _, code in places(text)] == ["bad_format", "contradiction"]


@pytest.mark.parametrize(
    ("old", "new", "advice"),
    [
        ("segmenter: classical", "segmentr: classical", "did you mean 'segmenter'?"),
        ("acquisition:", "aquisition:", "did you mean 'acquisition'?"),
        ("pr_decrease", "pr_decreese", "did you mean 'pr_decrease'?"),
        ("max_slice_thickness_mm", "max_slice_thickness", "did you mean 'max_slice_thickness_mm'?"),
        ("variable: best_response", "variable: best_respons", "did you mean 'best_response'?"),
        ("compare_arms: [A, B]", "compare_arms: [A, b]", "did you mean 'B'?"),
        ("compare_arms: [A, B]", "compare_arms: [A, C]", "the arms are A, B"),
        ("  bin_width: 25", "  zzz: 1", "known: bin_count, bin_width,"),
        ("criterion: recist11", "criterion: RECIST 1.1", "did you mean 'recist11'?"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_right_one(old: str, new: str, advice: str) -> None:
    assert any(advice in fault.message for fault in faults(broken(old, new)))


def test_a_number_where_text_is_needed_is_told_to_stand_in_quotes() -> None:
    (fault,) = faults(broken('version: "1.0"', "version: 1.0"))
    assert fault.message == "must be text, not 1.0; put it in quotes"


def test_a_fault_reads_as_file_line_column_path_message_code() -> None:
    (fault,) = faults(broken("readers: 2", "readers: 3"))
    assert str(fault) == "protocol:22:3: reading.readers: a case has 1 or 2 readers, not 3 [out_of_range]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(1, "", "wrong_type")]),
        ("just text", [(1, "", "wrong_type")]),
        ("- a\n- b\n", [(1, "", "wrong_type")]),
        ("a: [", [(1, "", "not_yaml")]),
    ],
)
def test_what_is_no_protocol_at_all_is_refused(text: str, expected: Expected) -> None:
    assert places(text) == expected


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="No such file"):
        load_protocol(tmp_path / "absent.yaml")
    with pytest.raises(ProtocolError, match="Is a directory"):
        load_protocol(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("title: M\xe4rz".encode("latin-1"))
    with pytest.raises(ProtocolError, match="not UTF-8"):
        load_protocol(tmp_path / "latin.yaml")

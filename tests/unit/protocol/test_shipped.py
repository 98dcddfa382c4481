"""The protocols and the schema that are shipped."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.unit.protocol.texts import VALID
from trialimg.protocol.criteria import Criterion, built_criteria
from trialimg.protocol.load import load_protocol, read_protocol
from trialimg.protocol.model import Protocol, full
from trialimg.protocol.schema import json_schema, schema_text
from trialimg.protocol.text import as_yaml

FOLDER = Path(__file__).resolve().parents[3] / "protocols"
NAMES = ("hcc_mrecist", "melanoma_irecist", "nsclc_recist11", "sarcoma_petct", "solid_tumour_tables")


def protocol(name: str) -> Protocol:
    return load_protocol(FOLDER / f"{name}.yaml")


def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "schema" / "protocol.v1.json").read_text(encoding="utf-8"))
    return loaded


def test_every_shipped_protocol_is_looked_at() -> None:
    assert sorted(file.stem for file in FOLDER.glob("*.yaml")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid_and_reads_back_from_its_full_form(name: str) -> None:
    loaded = protocol(name)
    assert read_protocol(as_yaml(loaded)).digest == loaded.digest


@pytest.mark.parametrize("name", NAMES)
def test_it_validates_against_the_json_schema(name: str) -> None:
    checker = jsonschema.Draft202012Validator(schema())
    written = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    assert list(checker.iter_errors(written)) == []
    assert list(checker.iter_errors(full(protocol(name)))) == []


def test_the_shipped_schema_is_the_one_of_the_model() -> None:
    """After a change of the model: ``trialimg protocol schema > protocols/schema/protocol.v1.json``."""
    assert (FOLDER / "schema" / "protocol.v1.json").read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_a_schema_and_describes_every_key() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    undescribed = [
        f"{section}.{key}"
        for section, part in [("", json_schema()), *json_schema()["$defs"].items()]
        for key, about in part.get("properties", {}).items()
        if not about.get("description") and "$ref" not in about
    ]
    assert undescribed == []


@pytest.mark.parametrize(
    "change",
    [
        {"arms": "A"},
        {"arms": []},
        {"trail": {}},
        {"schema": "trialimg/protocol/v2"},
        {"statistics": {"confidence": 95}},
        {"response": {"criterion": "recist"}},
        {"reading": {"ordr": "randomised"}},
        {"segmentation": {"segmenter": "x", "model_digest": "md5:1"}},
    ],
)
def test_the_schema_refuses_what_the_model_refuses(change: dict[str, object]) -> None:
    written = yaml.safe_load(VALID)
    checker = jsonschema.Draft202012Validator(schema())
    assert checker.is_valid(written)
    assert not checker.is_valid(written | change)


def test_the_demonstration_trial_can_be_run() -> None:
    demo = protocol("nsclc_recist11")
    assert demo.response.criterion is Criterion.RECIST_1_1
    assert demo.response.criterion in built_criteria()
    assert demo.arms == ("A", "B")
    assert demo.sites == ("01", "02", "03")
    days = [(visit.id, visit.first_day, visit.day, visit.last_day) for visit in demo.schedule.visits]
    assert days == [("W06", 36, 43, 50), ("W12", 78, 85, 92), ("W18", 120, 127, 134)]
    assert demo.schedule.baseline.window_days == (-28, 1)


def test_the_sarcoma_trial_has_a_rule_for_each_modality() -> None:
    assert [rule.modality for rule in protocol("sarcoma_petct").acquisition] == ["CT", "PT", "MR"]


def test_every_key_of_a_protocol_is_on_its_reference_page() -> None:
    page = (FOLDER.parent / "docs" / "reference" / "protocol.md").read_text(encoding="utf-8")
    parts = [json_schema(), *json_schema()["$defs"].values()]
    keys = {key for part in parts for key in part.get("properties", {})}
    words = {word for part in parts for word in part.get("enum", ())}
    assert sorted(name for name in keys | words if f"`{name}`" not in page) == []


def test_every_default_on_the_reference_page_is_the_one_of_the_model() -> None:
    page = (FOLDER.parent / "docs" / "reference" / "protocol.md").read_text(encoding="utf-8").splitlines()
    rows = [tuple(cell.strip() for cell in line.split(" | ")) for line in page if line.startswith("| `")]
    told = {(cells[0].strip("| `"), cells[-2].strip("`")) for cells in rows if len(cells) >= 4}
    missing = [
        (key, json.dumps(about["default"]))
        for part in json_schema()["$defs"].values()
        for key, about in part.get("properties", {}).items()
        if "default" in about and (key, json.dumps(about["default"])) not in told
    ]
    assert missing == []


def test_every_reason_code_is_on_its_reference_page() -> None:
    page = (FOLDER.parent / "docs" / "reference" / "protocol.md").read_text(encoding="utf-8")
    package = FOLDER.parent / "trialimg"
    files = [*(package / "protocol").glob("*.py"), package / "radiomics" / "settings.py"]
    files += [
        package / "review" / "design.py",
        *(package / "billing" / f"{name}.py" for name in ("plan", "prices", "parties")),
    ]
    codes = {code for file in files for code in _codes(ast.parse(file.read_text(encoding="utf-8")))}
    assert {"duplicate", "unknown_key", "windows_overlap", "alias", "ambiguous"} <= codes
    assert sorted(code for code in codes if f"`{code}`" not in page) == []


def _codes(tree: ast.AST) -> set[str]:
    """Second argument of every Fault(...), third of every refuse(...), and the table of pydantic's own."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            position = {"Fault": 1, "refuse": 2}.get(name)
            if position is not None and len(node.args) > position and isinstance(node.args[position], ast.Constant):
                found.add(str(node.args[position].value))
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_CODES":
            found |= set(ast.literal_eval(node.value).values())
    return found

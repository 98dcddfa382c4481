"""The main job on real images: two soft-tissue sarcomas in CT, PET and T1, outlined by a radiation oncologist."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from tests.e2e.command import answer

REFERENCE_DATES = {"STS_002": "2006-01-29", "STS_008": "2001-09-03"}
HEADER = "subject,date,lesion,role,kind,organ,prompt,series_uid"


@pytest.fixture(scope="module")
def studies(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study folder with the two subjects, their outlines named as the contour sets name them."""
    folder = tmp_path_factory.mktemp("sarcoma")
    series = {s["series_uid"]: s for s in _series(reference / "sarcoma" / "dicom")}
    rows, subjects = [HEADER], ["subject,site,arm,reference_date"]
    for subject, day_1 in REFERENCE_DATES.items():
        shutil.copytree(reference / "sarcoma" / "dicom" / subject, folder / subject)
        subjects.append(f"{subject},01,,{day_1}")
        for uid, facts in series.items():
            if facts["subject"] == subject:
                rows.append(f"{subject},{facts['date']},{facts['region']},target,non_nodal,soft tissue,contour,{uid}")
    (folder / "annotations.csv").write_text("\n".join(rows) + "\n")
    (folder / "subjects.csv").write_text("\n".join(subjects) + "\n")
    return folder


def _series(folder: Path) -> list[dict[str, str]]:
    from trialimg.bootstrap import image_source

    index = image_source().index(folder)
    regions = {contours.series_uid: contours.names[0] for contours in index.contour_sets}
    return [
        {
            "subject": s.subject,
            "series_uid": s.series_uid,
            "date": str(s.acquisition_date),
            "region": regions[s.series_uid],
        }
        for s in index.series
    ]


@pytest.fixture(scope="module")
def run(studies: Path, root: Path, tmp_path_factory: pytest.TempPathFactory):
    out = tmp_path_factory.mktemp("out")
    return out, answer("run", root / "protocols" / "sarcoma_petct.yaml", studies, "--out", out)


@pytest.mark.reference
def test_volumes_of_every_modality_agree_with_the_published_inventory(run, reference):
    with (reference / "sarcoma" / "inventory.csv").open(newline="") as file:
        published = {(row["subject"], row["modality"]): float(row["volume_ml"]) for row in csv.DictReader(file)}
    with (run[0] / "lesions.csv").open(newline="") as file:
        lesions = list(csv.DictReader(file))
    assert len(lesions) == 6
    for lesion in lesions:
        modality = lesion["lesion"].removeprefix("GTV_Mass_")
        assert float(lesion["volume_ml"]) == pytest.approx(published[lesion["subject"], modality], rel=0.01)
        assert lesion["seen"] == "measured"


@pytest.mark.reference
def test_features_of_all_three_modalities_stand_in_the_table(run):
    import pandas as pd

    table = pd.read_parquet(run[0] / "radiomics.parquet")
    assert len(table) == 6
    assert table["original_glcm_Contrast"].notna().all()
    assert table["original_firstorder_Mean"].nunique() == 6


@pytest.mark.reference
def test_a_subject_with_baseline_only_has_no_response_and_the_report_is_written(run):
    out, summary = run
    assert summary["subjects"] == 2
    assert dict(summary["objective_response"])["all"]["events"] == 0
    assert (out / "report.pdf").stat().st_size > 10_000

"""Ports meet adapters here, and nowhere else. Heavy adapters are imported inside the functions that need them."""

from __future__ import annotations

from trialimg.bootstrap.datasets import core_findings, demographics, read_datasets, write_datasets
from trialimg.bootstrap.documents import bill_files, charter_files, inspection_files
from trialimg.bootstrap.evaluation import lesion_set, open_case, write_evaluation
from trialimg.bootstrap.evidence import explainable, probabilistic, write_evidence
from trialimg.bootstrap.folders import make_folder
from trialimg.bootstrap.images import (
    feature_extractor,
    image_source,
    open_image,
    open_mask,
    radiomics_settings,
    save_mask,
    write_sample,
)
from trialimg.bootstrap.installation import (
    align_visits,
    blobs,
    demonstrate,
    identity,
    identity_provider,
    kept_masks,
    kept_series,
    migrate_records,
    new_blob_key,
    records,
    storage,
)
from trialimg.bootstrap.intake import intake
from trialimg.bootstrap.models import check_model, model_entries, model_facts
from trialimg.bootstrap.reports import case_report, endpoint_report, finished_result
from trialimg.bootstrap.runs import environment, exporters, sdtm_run, trial_run
from trialimg.bootstrap.segmenters import protocol_segmenter, segmenter
from trialimg.bootstrap.training import Training, finetune_network, train_network

__all__ = [
    "Training",
    "align_visits",
    "bill_files",
    "blobs",
    "case_report",
    "charter_files",
    "check_model",
    "core_findings",
    "demographics",
    "demonstrate",
    "endpoint_report",
    "environment",
    "explainable",
    "exporters",
    "feature_extractor",
    "finetune_network",
    "finished_result",
    "identity",
    "identity_provider",
    "image_source",
    "inspection_files",
    "intake",
    "kept_masks",
    "kept_series",
    "lesion_set",
    "make_folder",
    "migrate_records",
    "model_entries",
    "model_facts",
    "new_blob_key",
    "open_case",
    "open_image",
    "open_mask",
    "probabilistic",
    "protocol_segmenter",
    "radiomics_settings",
    "read_datasets",
    "records",
    "save_mask",
    "sdtm_run",
    "segmenter",
    "storage",
    "train_network",
    "trial_run",
    "write_datasets",
    "write_evaluation",
    "write_evidence",
    "write_sample",
]

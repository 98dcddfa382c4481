"""The synthetic trial's scans as DICOM: one CT series per scan, one structure set per drawing."""

from __future__ import annotations

from pathlib import Path

from trialimg.adapters.dicom.write_ct import ct_images
from trialimg.adapters.dicom.write_rtstruct import structure_set
from trialimg.services.sample_scan import CtScan, Drawing

__all__ = ["DicomScanWriter"]


class DicomScanWriter:
    """Writes CT Image and RT Structure Set objects as Part 10 files."""

    def write_scan(self, scan: CtScan, folder: Path) -> None:
        """One file per slice, named by its instance number."""
        folder.mkdir(parents=True)
        for dataset in ct_images(scan):
            dataset.save_as(folder / f"{dataset.InstanceNumber:04d}.dcm", enforce_file_format=True)

    def write_drawing(self, drawing: Drawing, path: Path) -> None:
        """One RT Structure Set."""
        path.parent.mkdir(parents=True, exist_ok=True)
        structure_set(drawing).save_as(path, enforce_file_format=True)

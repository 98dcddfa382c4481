"""A synthetic scan as CT Image Storage (DICOM PS3.3 A.3), lossless JPEG-LS."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless

from trialimg.adapters.dicom.write_header import decimal, started
from trialimg.services.sample_scan import CtScan

__all__ = ["ct_images"]

_BITS_STORED = 12
_TUBE_KV = "120"


def ct_images(scan: CtScan) -> Iterator[Dataset]:
    """One compressed image per kept slice, feet first; instance numbers count the whole stack."""
    for index in scan.kept:
        dataset = started(
            scan.header,
            sop_class=CTImageStorage,
            instance_uid=scan.image_uids[index],
            syntax=ExplicitVRLittleEndian,
        )
        _describe_series(dataset, scan)
        _describe_plane(dataset, scan, index)
        _describe_pixels(dataset, scan, index)
        dataset.compress(JPEGLSLossless, encoding_plugin="pyjpegls", generate_instance_uid=False)
        yield dataset


def _describe_series(dataset: Dataset, scan: CtScan) -> None:
    """General Series, Contrast/Bolus and acquisition attributes."""
    header = scan.header
    day, time = header.date.strftime("%Y%m%d"), header.time.strftime("%H%M%S")
    dataset.AcquisitionDate = dataset.ContentDate = day
    dataset.AcquisitionTime = dataset.ContentTime = time
    dataset.Modality = "CT"
    dataset.SeriesInstanceUID = header.series_uid
    dataset.SeriesNumber = "1"
    dataset.SeriesDescription = "Chest and upper abdomen"
    dataset.BodyPartExamined = "CHESTABDOMEN"
    dataset.PatientPosition = "HFS"
    dataset.ContrastBolusAgent = scan.contrast_agent
    dataset.KVP = _TUBE_KV
    dataset.Exposure = str(round(scan.exposure_mas))
    dataset.ConvolutionKernel = scan.kernel
    dataset.AcquisitionNumber = "1"


def _describe_plane(dataset: Dataset, scan: CtScan, index: int) -> None:
    """Image Plane: axial, rows to the left, columns to the back."""
    grid = scan.geometry
    x, y, z = grid.to_lps((0, 0, index))
    dataset.InstanceNumber = index + 1
    dataset.ImagePositionPatient = [decimal(x), decimal(y), decimal(z)]
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dataset.PixelSpacing = [decimal(grid.spacing_mm[1]), decimal(grid.spacing_mm[0])]
    dataset.SliceThickness = decimal(grid.slice_spacing_mm)


def _describe_pixels(dataset: Dataset, scan: CtScan, index: int) -> None:
    """Image Pixel and CT Image: unsigned, 12 bits in 16."""
    pixels = np.ascontiguousarray(scan.stored[index], dtype="<u2")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = 16
    dataset.BitsStored = _BITS_STORED
    dataset.HighBit = _BITS_STORED - 1
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept = decimal(scan.intercept_hu)
    dataset.RescaleSlope = decimal(scan.slope_hu)
    dataset.RescaleType = "HU"
    dataset.WindowCenter, dataset.WindowWidth = "40", "400"
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"

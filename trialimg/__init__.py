"""trialimg: imaging endpoints for oncology trials, from DICOM to a reproducible endpoint report."""

__version__ = "0.1.0"

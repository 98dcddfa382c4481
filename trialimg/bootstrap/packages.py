"""What a data cut gives to take away, as archives."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialimg.services.cdisc.course import Study
    from trialimg.services.figures.figure import Figure

__all__ = ["cdisc_package", "figure_package"]

_FORMATS = ("xpt", "json", "csv", "parquet")


def cdisc_package(study: Study, created: dt.datetime) -> bytes:
    """SDTM and ADaM with Define-XML, reviewer's guide and programs, as one archive.

    Raises
    ------
    ReadingError
        If nothing was read, or with every value that a format cannot hold.
    """
    from trialimg.adapters.exporters.package import packed
    from trialimg.bootstrap.datasets import write_datasets
    from trialimg.services.cdisc.export import tables_for

    with tempfile.TemporaryDirectory() as aside:
        folder = Path(aside)
        write_datasets(study, tables_for(study, "all"), folder, formats=_FORMATS, created=created)
        return packed(folder)


def figure_package(figures: Sequence[Figure]) -> bytes:
    """Each figure as SVG and PDF, as one archive."""
    from trialimg.adapters.exporters.package import packed
    from trialimg.bootstrap.figures import write_figure

    with tempfile.TemporaryDirectory() as aside:
        folder = Path(aside)
        for figure in figures:
            for ending in ("svg", "pdf"):
                write_figure(figure, folder / f"{figure.name}.{ending}")
        return packed(folder)

"""The finished run of a trial: what `trialimg run` wrote into the installation's folder ``runs/TRIAL``."""

from __future__ import annotations

from apps.trialimg_dashboard.desk import Desk, done
from trialimg.services.finished import FinishedRun, open_run

__all__ = ["finished_run"]


def finished_run(at: Desk) -> FinishedRun | None:
    """The trial's run; None where there is none, or it cannot be read, which the page then says."""
    folder = at.house.home / "runs" / at.trial
    if not at.trial or not (folder / "manifest.json").is_file():
        return None
    return done(lambda: open_run(folder))

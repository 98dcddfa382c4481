"""`trialimg analyse`: the statistics of a table, or of single figures."""

from __future__ import annotations

import click

from trialimg.cli.analyse_design import adjust, power
from trialimg.cli.analyse_endpoints import censoring, central
from trialimg.cli.analyse_models import agreement, mmrm, shrinkage
from trialimg.cli.analyse_radiomics import radiomics
from trialimg.cli.analyse_rates import cmh, difference, rate
from trialimg.cli.analyse_survival import competing, cox, interval, km, logrank, rmst

__all__ = ["analyse"]


@click.group("analyse")
def analyse() -> None:
    """Statistics of a table (CSV or XPT): rates, survival, agreement, models, design.

    A table with any fault is refused whole: every fault with its line, exit 2. Missing cells are a fault unless
    --missing drop leaves their rows out, which is counted in a warning.
    """


SURVIVAL = (km, logrank, cox, rmst, competing, interval)
MODELS = (agreement, mmrm, shrinkage)
for verb in (rate, difference, cmh, *SURVIVAL, *MODELS, power, adjust, censoring, central, radiomics):
    analyse.add_command(verb)

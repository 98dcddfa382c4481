"""The command's frame: its verbs, and how a refusal reaches the user."""

from __future__ import annotations

import sys

import click

from trialimg import __version__
from trialimg.cli.analyse import analyse
from trialimg.cli.bill import bill
from trialimg.cli.evaluate import evaluate
from trialimg.cli.export import export
from trialimg.cli.figure import figure
from trialimg.cli.measure import measure
from trialimg.cli.model import model
from trialimg.cli.protocol import protocol
from trialimg.cli.query import query
from trialimg.cli.radiomics import radiomics
from trialimg.cli.report import report
from trialimg.cli.respond import respond
from trialimg.cli.review import review
from trialimg.cli.run import run
from trialimg.cli.sample import sample
from trialimg.cli.segment import segment
from trialimg.cli.serve import serve
from trialimg.cli.store import store
from trialimg.cli.table import table
from trialimg.cli.track import track
from trialimg.cli.train import train
from trialimg.cli.trial import trial
from trialimg.cli.user import user
from trialimg.cli.verify import verify
from trialimg.core.errors import FaultsError, TrialimgError

__all__ = ["app", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def app() -> None:
    """Imaging endpoints for oncology trials: from DICOM to a reproducible endpoint report."""


app.add_command(analyse)
app.add_command(bill)
app.add_command(evaluate)
app.add_command(export)
app.add_command(figure)
app.add_command(measure)
app.add_command(model)
app.add_command(protocol)
app.add_command(query)
app.add_command(radiomics)
app.add_command(report)
app.add_command(respond)
app.add_command(review)
app.add_command(run)
app.add_command(sample)
app.add_command(segment)
app.add_command(serve)
app.add_command(store)
app.add_command(train)
app.add_command(track)
app.add_command(table)
app.add_command(trial)
app.add_command(user)
app.add_command(verify)


def main(arguments: list[str] | None = None) -> None:
    """Run the command; bad input ends in one clear line on stderr and exit code 2, never a traceback."""
    try:
        code = app.main(args=arguments, prog_name="trialimg", standalone_mode=False)
    except click.ClickException as fault:
        _refuse(fault.format_message())
    except FaultsError as fault:
        for item in fault.faults:
            if str(fault) != f"{item.where}: {item.message}":  # one fault that is all there is to say is said once
                click.echo(str(item), err=True)
        _refuse(str(fault))
    except TrialimgError as fault:
        _refuse(str(fault))
    except (KeyboardInterrupt, click.Abort):
        click.echo("trialimg: interrupted; finished work is kept, run the same command to go on", err=True)
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _refuse(message: str) -> None:
    click.echo(f"trialimg: error: {' '.join(message.split())}", err=True)
    sys.exit(2)

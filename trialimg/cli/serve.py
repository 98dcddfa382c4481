"""`trialimg serve`: the dashboard on this machine."""

from __future__ import annotations

import os
from multiprocessing import get_context
from pathlib import Path

import click

from trialimg.cli.progress import progress_bars

__all__ = ["serve"]

_BEHIND = 10
_FIRST_TIME = (
    "The first start measures the sample trial and brings its images in; the address below answers after that. Later "
    "starts take seconds."
)


@click.command("serve")
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    envvar="TRIALIMG_HOME",
    default=Path("~/.trialimg"),
    help="Folder of the installation; default: $TRIALIMG_HOME, else ~/.trialimg.",
)
@click.option("--port", type=click.IntRange(1024, 65535), default=8501, show_default=True)
@click.option("--demo", is_flag=True, help="Make an empty installation a demonstration of the sample trial first.")
@click.option("--protocol", type=click.Path(path_type=Path), default=Path("protocols/nsclc_recist11.yaml"))
@click.option("--studies", type=click.Path(path_type=Path), default=Path("sample_data"), help="Of the demonstration.")
@click.option("--run", type=click.Path(path_type=Path), default=Path("runs/demo"), help="Of the demonstration.")
def serve(home: Path, port: int, demo: bool, protocol: Path, studies: Path, run: Path) -> None:
    """The reading room, worklists and records in the browser, on this machine only.

    With --demo an installation without users gets the sample trial and one made-up account per role; its visits are
    aligned while pages are there already, and scroll together by height alone until then. For others to reach it, start
    the application behind TLS: `uvicorn --factory apps.trialimg_dashboard.server:app`.
    """
    import uvicorn

    folder = home.expanduser()
    if demo:
        _demonstrate(folder, protocol, studies, run)
        get_context("spawn").Process(target=_align, args=(folder,), daemon=True).start()
    os.environ["TRIALIMG_HOME"] = str(folder)
    click.echo(f"http://127.0.0.1:{port}")
    uvicorn.run("apps.trialimg_dashboard.server:app", factory=True, host="127.0.0.1", port=port, log_level="warning")


def _align(home: Path) -> None:
    """Align visits that are not aligned yet, behind whoever looks at pages; the next start goes on with the rest."""
    from trialimg import bootstrap

    os.nice(_BEHIND)
    bootstrap.align_visits(home)


def _demonstrate(home: Path, protocol: Path, studies: Path, run: Path) -> None:
    """Prepare the demonstration once, from a run that is there or is made now; say its accounts this once."""
    from trialimg import bootstrap

    if (home / "demo-accounts.json").exists():
        if not any((home / "runs").glob("*")):  # the run is linked last
            raise click.UsageError(f"{home}: this demonstration was interrupted; remove the folder and start again")
        return
    bootstrap.make_folder(home)
    click.echo(_FIRST_TIME, err=True)
    with progress_bars() as progress:
        if not (run / "manifest.json").exists():
            bootstrap.make_folder(run)
            bootstrap.trial_run(protocol, studies, run / "work", device=None, workers=2)(run, progress=progress)
        made = bootstrap.demonstrate(home, protocol, run=run, studies=studies, aligns=False, progress=progress)
    click.echo(
        f"DEMONSTRATION of {made.trial}: made-up people, no real data. Accounts (also {home / 'demo-accounts.json'}):"
    )
    for account in made.accounts.values():
        click.echo(
            f"  {account.role:14} {account.user:20} password {account.password!r}  authenticator key {account.seed}"
        )

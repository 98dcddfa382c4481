"""`trialimg serve`: the dashboard on this machine."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["serve"]


@click.command("serve")
@click.argument("run_folder", type=click.Path(path_type=Path), default=Path("runs/demo"))
@click.option("--port", type=click.IntRange(1024, 65535), default=8501, show_default=True)
def serve(run_folder: Path, port: int) -> None:
    """Show a finished run in the browser, on this machine only (there is no sign-in yet)."""
    import importlib.util
    import subprocess
    import sys

    from trialimg.core.errors import TrialimgError

    spec = importlib.util.find_spec("apps.trialimg_dashboard")
    if spec is None or spec.origin is None:
        raise TrialimgError("the dashboard is not installed; install trialimg from its repository")
    script = Path(spec.origin).with_name("app.py")
    options = ("--server.address", "127.0.0.1", "--server.port", str(port), "--browser.gatherUsageStats", "false")
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options, "--", str(run_folder)]
    raise SystemExit(subprocess.run(command, check=False).returncode)  # noqa: S603  our own script, no shell

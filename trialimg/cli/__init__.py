"""The `trialimg` command: one small file per verb."""

from trialimg.cli.app import main

__all__ = ["main"]

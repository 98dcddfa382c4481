"""``python -m trialimg``: the same as the `trialimg` command."""

from trialimg.cli import main

main()

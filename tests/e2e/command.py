"""The command as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "trialimg")


def trialimg(*words: str | Path, timeout_s: float = 900) -> subprocess.CompletedProcess[str]:
    """One call of the command in a process of its own."""
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def answer(*words: str | Path) -> Any:
    """The JSON document that a successful call with ``--json`` prints."""
    done = trialimg(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

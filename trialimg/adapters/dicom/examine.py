"""Files that nobody trusts are parsed in a process of their own, which may die over them."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path

from trialimg.core.errors import Fault
from trialimg.services.intake import Examined

__all__ = ["ChildExaminer"]

_CHILD = "trialimg.adapters.dicom.examine_child"
_FIRST_ANSWER_S = 60


class ChildExaminer:
    """One child at a time, made when it is needed and again where a file has ended it; serves several threads.

    Parameters
    ----------
    longest_s
        After how many seconds over one file the child is ended and the file refused.
    """

    def __init__(self, longest_s: float = 30) -> None:
        self._longest_s = longest_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def examine(self, path: Path) -> Examined:
        """What the file is; a file that ends the child, or takes too long, is refused like any other."""
        with self._lock:
            is_new = self._child is None or self._child.poll() is not None
            child = self._started() if is_new else self._child
            try:
                return Examined.parse(json.loads(self._asked(child, path, is_new)))
            except queue.Empty:
                self._end()
                return _refused("too_slow", f"was not understood within {self._longest_s:g} seconds")
            except (OSError, ValueError, KeyError, TypeError):
                self._end()
                return _refused("ended_the_reader", "needs more memory than a header may take, or ends its reader")

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._end()

    def _started(self) -> subprocess.Popen[str]:
        self._child = subprocess.Popen(  # noqa: S603 - this package's own module, no argument from outside
            [sys.executable, "-m", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answers = queue.Queue()
        threading.Thread(target=_listen, args=(self._child, self._answers), daemon=True).start()
        return self._child

    def _asked(self, child: subprocess.Popen[str] | None, path: Path, is_new: bool) -> str:
        if child is None or child.stdin is None:
            raise OSError("the reader is gone")
        child.stdin.write(json.dumps(str(path.absolute())) + "\n")
        child.stdin.flush()
        return self._answers.get(timeout=self._longest_s + (_FIRST_ANSWER_S if is_new else 0))

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None


def _listen(child: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    """Pass on what the child says; at its end, that it has ended."""
    if child.stdout is not None:
        for line in child.stdout:
            answers.put(line)
    answers.put("")


def _refused(code: str, message: str) -> Examined:
    return Examined(faults=(Fault("file", code, message),))

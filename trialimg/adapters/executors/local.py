"""Work on this machine: in this process, or in several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

__all__ = ["LocalExecutor"]

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class LocalExecutor:
    """Runs items one after another (1 worker) or in so many fresh processes; answers in the order of the items."""

    def __init__(self, workers: int = 1) -> None:
        self._workers = workers

    def map(self, work: Callable[[Item], Answer], items: Iterable[Item]) -> Iterator[Answer]:
        todo = list(items)
        if self._workers <= 1 or len(todo) <= 1:
            yield from map(work, todo)
            return
        # "spawn" because a forked child inherits the locks of the numerical libraries' threads
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(self._workers, len(todo)), mp_context=context) as pool:
            yield from pool.map(work, todo)

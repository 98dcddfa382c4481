"""What every executor promises."""

from __future__ import annotations

import os

import pytest

from trialimg.adapters.executors.local import LocalExecutor
from trialimg.core.errors import GeometryError


def square(n: int) -> int:
    return n * n


def fail(n: int) -> int:
    raise GeometryError(f"no grid {n}")


def process(_: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("workers", [1, 2])
def test_answers_come_in_the_order_of_the_items(workers):
    assert list(LocalExecutor(workers).map(square, range(7))) == [n * n for n in range(7)]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_fault_comes_out_as_it_was_raised(workers):
    with pytest.raises(GeometryError, match="no grid 1"):
        list(LocalExecutor(workers).map(fail, [1, 2]))


def test_several_workers_are_several_processes():
    assert os.getpid() not in set(LocalExecutor(2).map(process, range(4)))

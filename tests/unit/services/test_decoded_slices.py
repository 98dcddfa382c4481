"""Slices at hand: as many as fit, the latest ones, and none of what was forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from trialimg.services.decoded_slices import DecodedSlices

PIXELS = np.arange(6, dtype=np.int16).reshape(2, 3)


def test_what_was_asked_for_longest_ago_goes_first():
    kept = DecodedSlices(most_bytes=3 * PIXELS.nbytes)
    for number in range(3):
        kept.put("s", number, PIXELS + number)
    assert kept.get("s", 0)[0, 0] == 0
    kept.put("s", 3, PIXELS)
    assert [kept.get("s", number) is not None for number in range(4)] == [True, False, True, True]


def test_a_slice_kept_twice_counts_once_and_one_that_is_too_large_is_not_kept():
    kept = DecodedSlices(most_bytes=2 * PIXELS.nbytes)
    for _ in range(5):
        kept.put("s", 0, PIXELS)
    kept.put("s", 1, PIXELS)
    assert kept.get("s", 0) is not None
    kept.put("s", 2, np.zeros((99, 99), np.int16))
    assert kept.get("s", 2) is None


def test_one_series_is_forgotten_and_leaves_room():
    kept = DecodedSlices(most_bytes=2 * PIXELS.nbytes)
    kept.put("a", 0, PIXELS)
    kept.put("b", 0, PIXELS)
    kept.forget("a")
    kept.put("b", 1, PIXELS)
    assert kept.get("a", 0) is None
    assert kept.get("b", 0) is not None


def test_threads_share_it_and_the_bound_holds():
    kept = DecodedSlices(most_bytes=10 * PIXELS.nbytes)

    def work(seed):
        for number in np.random.default_rng(seed).integers(0, 40, 500).tolist():
            kept.put("s", number, PIXELS + number)
            found = kept.get("s", number)
            assert found is None or found[0, 0] == number

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert sum(kept.get("s", number) is not None for number in range(40)) <= 10

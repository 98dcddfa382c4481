"""Responses and endpoints of 10,000 subjects in one process: how long, and how much memory.

Each subject has a baseline and eight follow-ups of five targets. Building the records is timed apart from judging
them; the peak memory is that of the whole process, records included.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import resource
import time
from collections.abc import Iterator
from decimal import Decimal

from trialimg.core.lesions import Designation, Lesion, LesionKind, Observation, Role, Seen, Track
from trialimg.core.trial import Subject, Timepoint
from trialimg.criteria import recist11
from trialimg.endpoints.settings import PROFILES
from trialimg.endpoints.summary import summarise

START = dt.date(2024, 1, 1)
FOLLOW_UPS, LESIONS = 8, 5
Record = tuple[tuple[Track, ...], tuple[Designation, ...], tuple[Timepoint, ...]]


def records(subjects: int, seed: int) -> Iterator[Record]:
    """Subjects whose lesions shrink or grow at random by up to a quarter from visit to visit."""
    rng = random.Random(seed)
    visits = tuple(Timepoint(f"W{6 * n:02d}", n, START + dt.timedelta(weeks=6 * n)) for n in range(FOLLOW_UPS + 1))
    for _ in range(subjects):
        tracks = tuple(track(rng, number, visits) for number in range(LESIONS))
        yield tracks, tuple(Designation("R1", t.lesion, Role.TARGET) for t in tracks), visits


def track(rng: random.Random, number: int, visits: tuple[Timepoint, ...]) -> Track:
    lesion = Lesion(f"T{number}", LesionKind.NON_NODAL, f"organ {number // 2}")
    size_mm = rng.uniform(15, 60)
    seen = []
    for visit in visits:
        seen.append(Observation(lesion, visit, Seen.MEASURED, Decimal(f"{size_mm:.1f}")))
        size_mm = max(1.0, size_mm * rng.uniform(0.75, 1.2))
    return Track(lesion, tuple(seen))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=10_000)
    subjects = parser.parse_args().subjects
    settings, rules = PROFILES["recist11_table3"], recist11.Rules()
    began = time.perf_counter()
    everyone = list(records(subjects, seed=1))
    built, busy = time.perf_counter(), time.process_time()
    answered = 0
    for number, (tracks, roles, visits) in enumerate(everyone):
        answers = recist11.assess(tracks, roles, visits, rules)
        summarise(Subject(f"S{number}", reference_date=START), answers, baseline=visits[0], settings=settings)
        answered += len(answers)
    seconds, cpu_seconds = time.perf_counter() - built, time.process_time() - busy
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{subjects} subjects x {FOLLOW_UPS} follow-ups x {LESIONS} lesions, built in {built - began:.1f} s")
    print(f"{answered} timepoints and {subjects} subjects judged in {seconds:.2f} s ({cpu_seconds:.2f} s of CPU)")
    print(f"{answered / seconds:,.0f} timepoints/s ({answered / cpu_seconds:,.0f} per CPU s), peak {peak_mb:,.0f} MB")


if __name__ == "__main__":
    main()

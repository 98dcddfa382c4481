"""A trial of 500 subjects and 3,000 timepoints from SDTM tables to its report: how long, and how much memory.

The tables are made up: two arms, a baseline and five follow-ups of three targets, which shrink or grow at random. One
`trialimg run --from-sdtm` judges them, estimates, and writes the report as HTML and PDF and the CSV tables; it is timed
as a process of its own, with its start. The load of the machine is printed beside it.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = ROOT / "protocols" / "nsclc_recist11.yaml"
START = dt.date(2024, 1, 10)
FOLLOW_UPS = 5
ORGANS = ("LIVER", "LUNG", "BRAIN")
BY = {"TREVAL": "INDEPENDENT ASSESSOR", "TREVALID": "RADIOLOGIST 1", "TRACPTFL": "Y"}
Rows = Iterator[dict[str, object]]


def subjects(count: int) -> list[str]:
    return [f"T-01-{number:04d}" for number in range(1, count + 1)]


def demographics(names: list[str], rng: random.Random) -> Rows:
    for place, name in enumerate(names):
        yield {
            "USUBJID": name, "SUBJID": name[-4:], "SITEID": f"{place % 3 + 1:02d}", "ARMCD": "AB"[place % 2],
            "ARMNRS": "", "RFSTDTC": START.isoformat(), "RFXSTDTC": START.isoformat(), "DTHDTC": "",
            "SEX": rng.choice("FM"), "AGE": rng.randint(35, 85),
        }  # fmt: skip


def tumours(names: list[str]) -> Rows:
    for name in names:
        for number, organ in enumerate(ORGANS, start=1):
            yield {
                "USUBJID": name, "TUSEQ": number, "VISIT": "SCREENING", "VISITNUM": 1, "TULOC": organ,
                "TUTESTCD": "TUMIDENT", "TUSTRESC": "TARGET", "TULNKID": f"R1-T{number:02d}",
                "TUEVAL": BY["TREVAL"], "TUEVALID": BY["TREVALID"], "TUACPTFL": "Y",
            }  # fmt: skip


def measurements(names: list[str], rng: random.Random) -> Rows:
    for name in names:
        sizes_mm = [rng.uniform(15, 60) for _ in ORGANS]
        for visit in range(FOLLOW_UPS + 1):
            day = START + dt.timedelta(weeks=6 * visit, days=-2)
            for number, size_mm in enumerate(sizes_mm, start=1):
                yield {
                    "USUBJID": name, "TRLNKID": f"R1-T{number:02d}", "TRTESTCD": "LDIAM", "TRSTRESC": f"{size_mm:.1f}",
                    "TRSTRESU": "mm", "TRSTAT": "", "VISITNUM": visit + 1,
                    "VISIT": f"W{6 * visit:02d}" if visit else "SCREENING", "TRDTC": day.isoformat(), **BY,
                }  # fmt: skip
            sizes_mm = [max(5.0, size_mm * rng.uniform(0.75, 1.25)) for size_mm in sizes_mm]


def write(path: Path, rows: Rows) -> None:
    found = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(found[0]))
        table.writeheader()
        table.writerows(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=500)
    names, rng = subjects(parser.parse_args().subjects), random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        tables, out = Path(folder) / "sdtm", Path(folder) / "out"
        tables.mkdir()
        write(tables / "dm.csv", demographics(names, rng))
        write(tables / "tu.csv", tumours(names))
        write(tables / "tr.csv", measurements(names, rng))
        load, began = os.getloadavg()[0], time.perf_counter()
        verb = [sys.executable, "-m", "trialimg", "run", str(PROTOCOL), "--from-sdtm", str(tables), "--out", str(out)]
        subprocess.run(verb, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        pdf_kb = (out / "report.pdf").stat().st_size // 1024
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = used.ru_utime + used.ru_stime
    print(f"{len(names)} subjects, {len(names) * (FOLLOW_UPS + 1):,} timepoints, report.pdf of {pdf_kb} kB")
    print(f"{seconds:.1f} s by the clock, {busy:.1f} s of processor, load before it {load:.1f}")
    print(f"peak memory {used.ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()

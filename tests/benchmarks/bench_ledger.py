"""Ledger: appends a second with everything a store keeps for proofs, and verification of a bundle from front to back.

Two entries in five make a record version (three versions a record), half of those give a reason; the others only note
that something happened. Each size is verified in a fresh process, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from trialimg.ledger.bundle import Item, write_bundle
from trialimg.ledger.checkpoint import Checkpoint, Head, sign
from trialimg.ledger.entry import Entry
from trialimg.ledger.keypair import KeyPair
from trialimg.ledger.keys import EndorsedKeys, KeyHistory
from trialimg.ledger.merkle import Frontier, consistency_path, inclusion_path, nodes_added, verify_inclusion
from trialimg.ledger.sealed import Sealed, seal
from trialimg.ledger.verifier import verify_bundle

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
TRIALS = 20
BODY = {"lesions": [{"id": f"T{n}", "long_axis_mm": "23.4", "short_axis_mm": "11.0"} for n in range(5)], "comment": ""}


class Appender:
    """Makes entries one behind the other, as a service does."""

    def __init__(self) -> None:
        self.frontier = Frontier()
        self.heads: dict[str, Head] = {}
        self.latest: dict[str, tuple[int, str]] = {}

    def items(self, count: int) -> Iterator[Item]:
        for sequence in range(count):
            yield self.item(sequence)

    def item(self, sequence: int) -> Item:
        trial = f"TRIAL-{sequence % TRIALS}"
        named, record = ("series", f"1.2.840.{sequence % 999}", 0, "", ""), None
        if sequence % 5 < 2:
            named, record = self.record(f"R-{sequence // 15}-{sequence % 5}", sequence)
        detail = seal({"reason": "measured again"}, salt(-1 - sequence)) if sequence % 5 == 0 else None
        head = self.heads.get(trial)
        entry = Entry(
            sequence=sequence,
            trial=trial,
            trial_sequence=0 if head is None else head.trial_sequence + 1,
            previous="" if head is None else head.hash,
            at=(START + dt.timedelta(seconds=sequence)).isoformat(timespec="microseconds"),
            who=f"reader{sequence % 40}",
            role="radiologist",
            action="open_images" if record is None else "save_read",
            object_kind=named[0],
            object_id=named[1],
            object_version=named[2],
            old=named[3],
            new=named[4],
            detail="" if detail is None else detail.digest,
            software="trialimg 0.4.0",
        )
        self.heads[trial] = Head(entry.trial_sequence, entry.hash)
        return Item(entry, record, detail)

    def record(self, key: str, sequence: int) -> tuple[tuple[str, str, int, str, str], Sealed]:
        version, old = self.latest.get(key, (0, ""))
        content = seal({**BODY, "number": sequence}, salt(sequence))
        self.latest[key] = (version + 1, content.digest)
        return ("read", key, version + 1, old, content.digest), content

    def checkpoint(self, size: int) -> Checkpoint:
        return Checkpoint("bench", size, self.frontier.root().hex(), self.at(size), dict(self.heads))

    def at(self, size: int) -> str:
        return (START + dt.timedelta(seconds=size)).isoformat(timespec="microseconds")


def salt(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def pure_appends(count: int) -> tuple[float, dict[tuple[int, int], bytes]]:
    """Seconds to make the entries, the frontier, and the nodes that a store keeps; and those nodes."""
    appender, nodes = Appender(), {}
    began = time.perf_counter()
    for item in appender.items(count):
        leaf = bytes.fromhex(item.entry.hash)
        for node in nodes_added(appender.frontier, leaf):
            nodes[node.level, node.index] = node.hash
        appender.frontier = appender.frontier.append(leaf)
    return time.perf_counter() - began, nodes


# What entries are appended to, and how long it takes: a store adds its own row, and plain SQL inserts beside it.
APPENDS: dict[str, Callable[[int], float]] = {"in memory, with proof nodes": lambda count: pure_appends(count)[0]}


def write(folder: Path, count: int) -> None:
    """A bundle with a checkpoint at its end."""
    appender, keys = Appender(), KeyPair.generate()

    def growing() -> Iterator[Item]:
        for item in appender.items(count):
            appender.frontier = appender.frontier.append(bytes.fromhex(item.entry.hash))
            yield item

    for _ in growing():
        pass
    signed = sign(appender.checkpoint(count), keys)
    history = KeyHistory((EndorsedKeys(keys.public, 0, appender.at(0)),))
    write_bundle(folder, Appender().items(count), checkpoints=[signed], keys=history, signer=keys)


def verified(folder: Path) -> tuple[float, float, float, int]:
    """Seconds, seconds of CPU, peak memory of this process in MB, and how many findings."""
    began, busy = time.perf_counter(), time.process_time()
    report = verify_bundle(folder)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - busy
    return seconds, cpu_seconds, peak_mb(), len(report.findings)


def peak_mb() -> float:
    """Of this program alone: the kernel's usual figure begins with that of the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def in_fresh_process(work: Callable[..., object], *arguments: object) -> object:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        return executor.submit(work, *arguments).result()


def proofs(count: int) -> None:
    """How long one proof takes to make and to check, in a tree of that size."""
    _, nodes = pure_appends(count)

    def node(level: int, index: int) -> bytes:
        return nodes[level, index]

    root = Frontier.read(count, node).root()
    rounds = 1000
    began = time.perf_counter()
    paths = [inclusion_path(place * (count // rounds), count, node) for place in range(rounds)]
    made = time.perf_counter()
    for place, path in enumerate(paths):
        leaf = place * (count // rounds)
        if not verify_inclusion(node(0, leaf), leaf, count, path=path, root=root):
            raise SystemExit("a proof does not verify")
    checked = time.perf_counter()
    consistency_path(count // 3, count, node)
    made_us, checked_us = (1e6 * seconds / rounds for seconds in (made - began, checked - made))
    print(f"proof of inclusion among {count:,}: made in {made_us:.0f} us, checked in {checked_us:.0f} us")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--appends", type=int, default=50_000)
    given = parser.parse_args()
    for name, appends in APPENDS.items():
        seconds = appends(given.appends)
        print(f"appends {name}: {given.appends / seconds:,.0f}/s")
    proofs(given.appends)
    print(f"{'entries':>10} {'MB':>7} {'verified in s':>14} {'CPU s':>8} {'CPU us/entry':>13} {'peak MB':>8}")
    for count in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            in_fresh_process(write, Path(folder), count)
            size_mb = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
            seconds, cpu_seconds, megabytes, findings = in_fresh_process(verified, Path(folder))
        if findings:
            sys.exit(f"{findings} findings in a bundle that nobody altered")
        row = f"{count:>10,} {size_mb:>7,.0f} {seconds:>14.2f} {cpu_seconds:>8.2f}"
        print(f"{row} {1e6 * cpu_seconds / count:>13.1f} {megabytes:>8,.0f}", flush=True)


if __name__ == "__main__":
    main()

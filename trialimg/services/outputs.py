"""The folder of a finished run: results, everything made of them, and the manifest with the digest of each."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trialimg.core.digest import canonical_json, digest_of, file_digest
from trialimg.core.errors import IntegrityError
from trialimg.services.document import document
from trialimg.services.ports import BlobStore, Exporter, Progress
from trialimg.services.results import TrialResult
from trialimg.services.results_file import keep_pixels
from trialimg.services.work import Stage, Tally, Workbench

__all__ = ["Outputs", "RunOutcome"]


@dataclass(frozen=True, eq=False)
class RunOutcome:
    """What a run found, what it wrote, and how much of it had to be computed."""

    result: TrialResult
    manifest_digest: str
    """One digest for everything: the same inputs, protocol and software give the same."""
    files: tuple[Path, ...]
    tally: Tally


@dataclass(frozen=True)
class Outputs:
    """Writes what a run found, in the forms that its protocol asks for."""

    store: BlobStore
    exporters: tuple[Exporter, ...]
    environment: Mapping[str, str]
    """Name to version of everything whose release can change a number."""

    def write(
        self, result: TrialResult, out: Path, *, tally: Tally | None = None, progress: Progress | None = None
    ) -> RunOutcome:
        """Everything in its place; what was written before for the same results is not made again.

        Parameters
        ----------
        out
            Existing folder; a file there is replaced only by a whole new one.
        tally
            What was computed so far.

        Raises
        ------
        IntegrityError
            If stored work has lost its bytes.
        """
        tally = tally if tally is not None else Tally()
        keep_pixels(result, self.store)
        written, names = self._export(result, out, tally, progress)
        manifest = {**self._manifest(result), "outputs": names}
        data = canonical_json(manifest) + b"\n"
        _place(out / "manifest.json", data)
        return RunOutcome(result, digest_of(data), (*written, out / "manifest.json"), tally)

    def place_beside(self, out: Path, name: str, data: bytes) -> Path:
        """Keep beside the results what was measured afterwards, of which the manifest knows nothing."""
        _place(out / name, data)
        return out / name

    def _manifest(self, result: TrialResult) -> dict[str, Any]:
        return {
            "schema": "trialimg/manifest/v1",
            "trial": result.trial,
            "protocol": result.protocol,
            "protocol_digest": result.protocol_digest,
            "software": result.provenance.software,
            "environment": dict(self.environment),
            "parameters": dict(result.provenance.parameters),
            "model": result.provenance.model,
            "inputs": dict(result.provenance.inputs),
        }

    def _export(
        self, result: TrialResult, out: Path, tally: Tally, progress: Progress | None
    ) -> tuple[list[Path], dict[str, str]]:
        bench = Workbench(self.store, tally)
        facts = canonical_json(document(result))
        _place(out / "results.json", facts + b"\n")
        written, digests = [out / "results.json"], {"results.json": digest_of(facts + b"\n")}
        for number, exporter in enumerate(self.exporters, start=1):
            for name, digest in self._outputs(bench, exporter, result, digest_of(facts)):
                data = self.store.get(digest)
                if data is None:
                    raise IntegrityError(
                        f"stored work: the bytes of {name} are gone; remove the work folder, run again"
                    )
                _place(out / name, data)
                written.append(out / name)
                digests[name] = digest
            if progress is not None:
                progress("outputs", number, len(self.exporters))
        return written, digests

    def _outputs(
        self, bench: Workbench, exporter: Exporter, result: TrialResult, facts_digest: str
    ) -> list[tuple[str, str]]:
        """Name and digest of every file that an exporter makes of the results."""

        def compute() -> object:
            with tempfile.TemporaryDirectory() as scratch:
                made = exporter.export(result, Path(scratch))
                contents = {path.relative_to(scratch).as_posix(): path.read_bytes() for path in made}
            for data in contents.values():
                self.store.put(digest_of(data), data)
            return [[name, digest_of(data)] for name, data in sorted(contents.items())]

        inputs = {"exporter": exporter.name, "results": facts_digest, "environment": self.environment}
        listing = bench.once_json(Stage("export", exporter.version), inputs, compute)
        return [(name, digest) for name, digest in listing]


def _place(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; one that says the same already is left alone."""
    if path.is_file() and file_digest(path) == digest_of(data):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{path.name}")
    partial.write_bytes(data)
    partial.replace(path)

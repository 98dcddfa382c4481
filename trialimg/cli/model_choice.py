"""The options that say which segmenter answers, and where it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trialimg.services.ports import Segmenter

__all__ = ["ALLOW_UNLICENSED", "DEVICE", "MODEL_DIGEST", "ModelChoice"]

MODEL_DIGEST = click.option("--model-digest", metavar="sha256:...", help="Digest that the files of a model must have.")
ALLOW_UNLICENSED = click.option("--allow-unlicensed", is_flag=True, help="Let a model in that states no licence.")
DEVICE = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", show_default=True,
    help="Where a network runs.",
)  # fmt: skip


@dataclass(frozen=True)
class ModelChoice:
    """Which segmenter, under which conditions."""

    model: str
    model_digest: str | None
    allow_unlicensed: bool
    device: str

    def segmenter(self) -> Segmenter:
        """The segmenter itself.

        Raises
        ------
        ModelError
            If there is none of that name, or the model is absent, altered or without a licence.
        """
        from trialimg import bootstrap

        return bootstrap.segmenter(
            self.model, model_digest=self.model_digest, device=self.device, allow_unlicensed=self.allow_unlicensed
        )

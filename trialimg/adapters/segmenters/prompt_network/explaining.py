"""What in the image the network's lesion rests on, in the grid of its last look."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialimg.adapters.segmenters.explanation import explained
from trialimg.adapters.segmenters.prompt_network.channels import IMAGE_CHANNELS
from trialimg.adapters.segmenters.prompt_network.looking import found_at
from trialimg.adapters.segmenters.prompt_network.running import answering, loaded_network
from trialimg.adapters.segmenters.prompt_network.shipped import Shipped
from trialimg.core.prompts import Prompt
from trialimg.volume import Mask, Volume

__all__ = ["explanation_at"]

Array32 = npt.NDArray[np.float32]


def explanation_at(
    image: Volume, prompt: Prompt, shipped: Shipped, *, device: str, method: str, guess: Mask | None = None
) -> Volume:
    """A map of the last look, where the network saw what `segment` keeps.

    Raises
    ------
    ModelError
        If the network sees no lesion there.
    """
    answer = answering(loaded_network(shipped), device)
    shown: list[Array32] = []

    def watched(given: Array32, mirrors: int) -> Array32:
        shown.append(given)
        return answer(given, mirrors)

    found = found_at(image, prompt, watched, guess)
    network = loaded_network(shipped)
    array = explained(network, shown[-1][0], image_channels=IMAGE_CHANNELS, lesion_channels=None, method=method)
    return Volume(array, found.grid, image.modality, history=(*image.history, f"{method} map of trialimg-prompt"))

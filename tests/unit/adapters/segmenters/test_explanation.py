"""What a lesion rests on: maps that show the place it is known to rest on, and that change with the weights."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from torch import nn

from trialimg.adapters.segmenters.explanation import METHODS, explained
from trialimg.core.errors import ModelError

SIZE = (12, 12, 12)
LESION = (slice(2, 5), slice(2, 5), slice(2, 5))
WITNESS = (9, 8, 3)
"""Where the brightness lies that the network below looks at, far from the lesion."""


class Witness(nn.Module):
    """A lesion in a fixed place, as sure as a small region elsewhere is bright."""

    def __init__(self) -> None:
        super().__init__()
        k, j, i = np.indices(SIZE)
        away = np.linalg.norm(np.stack([k, j, i], -1) - WITNESS, axis=-1)
        self.witness = torch.from_numpy((away < 2).astype(np.float32))
        self.lesion = torch.zeros(SIZE)
        self.lesion[LESION] = 1.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bright = (x[:, 0] * self.witness).sum() / self.witness.sum()
        odds = (6 * bright - 2) * self.lesion - 6 * (1 - self.lesion)
        return torch.stack([torch.zeros_like(odds), odds])[None]


def scene(seed: int = 0) -> np.ndarray:
    """The witness's brightness, noise, and a channel of the reader's prompt."""
    image = 0.05 * np.random.default_rng(seed).normal(size=SIZE)
    k, j, i = np.indices(SIZE)
    image += np.exp(-(np.linalg.norm(np.stack([k, j, i], -1) - WITNESS, axis=-1) ** 2) / 8)
    return np.stack([image, np.ones(SIZE)]).astype(np.float32)


def of(network: nn.Module, method: str, channels: np.ndarray | None = None) -> np.ndarray:
    channels = scene() if channels is None else channels
    return explained(network, channels, image_channels=1, lesion_channels=[1], method=method)


@pytest.mark.parametrize("method", METHODS)
class TestBothMethods:
    def test_the_map_points_at_what_the_network_looks_at_and_not_at_the_lesion(self, method):
        found = of(Witness(), method)
        assert found.shape == SIZE
        peak = np.unravel_index(found.argmax(), SIZE)
        assert np.linalg.norm(np.subtract(peak, WITNESS)) < 3
        assert found[LESION].mean() < 0.25 * found.max()

    def test_the_same_question_has_the_same_answer(self, method):
        assert np.array_equal(of(Witness(), method), of(Witness(), method))

    def test_the_map_changes_when_the_weights_are_randomised(self, method):
        """Adebayo et al.: a map that does not is an edge detector and explains nothing. One turned round changes."""
        channels = learned_scene()
        network = learned()
        own = of(network, method, channels)
        alike = []
        for seed in range(3):
            other = randomised(network, seed)
            alike.append(stats.spearmanr(own.ravel(), of(other, method, channels).ravel()).statistic)
        assert stats.spearmanr(own.ravel(), of(copy.deepcopy(network), method, channels).ravel()).statistic > 0.999
        assert np.mean(alike) < 0.5

    def test_no_lesion_has_no_explanation(self, method):
        dark = scene()
        dark[0] = 0.0
        with pytest.raises(ModelError, match="nothing to explain"):
            of(Witness(), method, dark)

    def test_the_network_is_left_as_it_was(self, method):
        network = learned()
        before = copy.deepcopy(network.state_dict())
        of(network, method, learned_scene())
        assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
        assert not any(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())


def test_edges_alone_would_not_pass_the_test_of_randomised_weights():
    """The control: a map that ignores the network is the same whatever the weights."""
    edges = ndimage.gaussian_gradient_magnitude(learned_scene()[0], 1.0)
    assert stats.spearmanr(edges.ravel(), edges.ravel()).statistic > 0.5


def test_a_network_without_a_gradient_is_sent_to_occlusion():
    def graph(x: torch.Tensor) -> torch.Tensor:
        return Witness()(x).detach()

    with pytest.raises(ModelError, match="explain it by occlusion"):
        of(graph, "gradient")
    assert of(graph, "occlusion").max() > 0.1


def test_one_output_stands_for_the_chance_by_its_sigmoid():
    class One(Witness):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x)[:, 1:2]

    one = explained(One(), scene(), image_channels=1, lesion_channels=None, method="occlusion")
    assert one == pytest.approx(of(Witness(), "occlusion"), abs=1e-5)


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ModelError, match="there are occlusion, gradient"):
        of(Witness(), "tea leaves")


PLACES = ((3, 3, 3), (8, 3, 8), (3, 8, 8), (8, 8, 3))
"""Of four balls alike; the reader clicks into the first."""


def ball(place: tuple[int, int, int]) -> np.ndarray:
    k, j, i = np.indices(SIZE)
    return np.linalg.norm(np.stack([k, j, i], -1) - place, axis=-1) < 2.5


def learned_scene() -> np.ndarray:
    """The balls in noise, and a channel of the click."""
    image = 0.1 * np.random.default_rng(3).normal(size=SIZE) + sum(ball(place) for place in PLACES)
    k, j, i = np.indices(SIZE)
    click = np.exp(-(np.linalg.norm(np.stack([k, j, i], -1) - PLACES[0], axis=-1) ** 2) / 8)
    return np.stack([image, click]).astype(np.float32)


@cache
def learned() -> nn.Module:
    """A small network after some steps towards the ball that was clicked."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv3d(2, 6, 3, padding=1), nn.LeakyReLU(), nn.Conv3d(6, 6, 3, padding=1), nn.LeakyReLU(),
        nn.Conv3d(6, 2, 1),
    )  # fmt: skip
    x = torch.from_numpy(learned_scene())[None]
    truth = torch.from_numpy(ball(PLACES[0])).long()[None]
    optimiser = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x), truth, weight=torch.tensor([1.0, 10.0])).backward()
        optimiser.step()
    optimiser.zero_grad()
    return network.eval()


def randomised(network: nn.Module, seed: int) -> nn.Module:
    """Other weights of the same spread in every layer, the last one's bias so that a lesion is seen."""
    random = torch.Generator().manual_seed(seed)
    other = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in other.parameters():
            spread = float(parameter.std()) if parameter.numel() > 1 else 1.0
            parameter.copy_(spread * torch.randn(parameter.shape, generator=random))
        scores = other(torch.from_numpy(learned_scene())[None])[0]
        other[-1].bias[1] += float(torch.quantile((scores[0] - scores[1]).flatten(), 0.05))
    return other

"""How sure a segmenter is of one lesion: asked again with other prompts, mirror images and grids; a flag for a person.

References
----------
Wang G et al. Aleatoric uncertainty estimation with test-time augmentation for medical image segmentation with
convolutional neural networks. Neurocomputing 2019;338:34. Roy AG et al. Bayesian QuickNAT: model uncertainty in deep
whole-brain segmentation for structure-wise quality control. NeuroImage 2019;195:11 (agreement between runs).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.core.experience import Experience
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointLps, PointPrompt, Prompt
from trialimg.imaging.measure import measure
from trialimg.imaging.overlap import dice
from trialimg.imaging.reader_prompts import ReaderHand, redrawn
from trialimg.services.ports import ProbabilisticSegmenter
from trialimg.volume import Geometry, Mask, Volume
from trialimg.volume.resample import Interpolator, resample

__all__ = ["QualityFlag", "Spread", "Uncertainty", "UncertaintySettings", "uncertainty_of"]

FloatArray = npt.NDArray[np.float32]
Index = tuple[int, int, int]

_TOGETHER = np.ones((3, 3, 3))


@dataclass(frozen=True)
class UncertaintySettings:
    """How a segmenter is asked again, and from where on a person has to look."""

    runs: int = 8
    """How often it is asked; the first time as the reader drew it."""
    hand: ReaderHand = field(default_factory=ReaderHand)
    """How unsteadily the prompt is drawn again; its seed is that of everything."""
    shift_voxels: float = 0.45
    """Most that the image's grid is laid elsewhere, along each axis; below one half, so that every voxel is seen."""
    flips: bool = True
    """Ask of mirror images too."""
    surroundings_mm: float = 100.0
    """Of the prompt, that are looked at."""
    confidence: float = 0.9
    """Share of the runs between the ends of a spread."""
    least_agreement: float = 0.85
    """A mean Dice between runs below this is flagged."""
    widest_long_axis: float = 0.2
    """A spread of the long axis wider than this share of it is flagged: RECIST's step from stable to progression."""
    widest_volume: float = 0.5
    """The same of the volume."""
    most_entropy: float = 0.5
    """A mean entropy within the lesion, in bits, above this is flagged."""

    def __post_init__(self) -> None:
        shares = (self.confidence, self.least_agreement, self.widest_long_axis, self.widest_volume, self.most_entropy)
        if self.runs < 3 or min(shares) <= 0 or self.confidence >= 1 or self.surroundings_mm <= 0:
            raise ValueError("three runs or more, and limits above 0, are needed; a share of runs lies below 1")
        if not 0 <= self.shift_voxels < 0.5:
            raise ValueError("a grid is shifted by less than half a voxel, at most")


@dataclass(frozen=True)
class Spread:
    """A number, and between which values that share of the runs lies; it says nothing of the truth."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class QualityFlag:
    """Whether a person has to look, and why."""

    needs_person: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """What several runs say together."""

    chance: Volume
    """Mean of the runs, on the voxels of the image around the lesion."""
    entropy: Volume
    """Of that mean, voxel by voxel, in bits: 0 sure, 1 as good as a coin."""
    mask: Mask
    """The part at or above one half that lies nearest to the prompt."""
    volume_ml: Spread | None
    long_axis_mm: Spread | None
    """None where no run, or not their mean, shows a lesion."""
    agreement: float
    """Mean Dice between every two runs; a pair without any lesion counts 0."""
    mean_entropy: float | None
    """In bits, within the mask."""
    runs: int
    empty_runs: int
    """Runs that found nothing; they count as a volume of 0 and stay out of the long axis."""
    experience: Experience | None
    """Of the segmenter with this kind of prompt; None where nothing is known."""
    expected_volume_ml: Spread | None
    """Between which values the true one lies, by experience; None where there is none, or no lesion."""
    expected_long_axis_mm: Spread | None
    flag: QualityFlag


def uncertainty_of(
    segmenter: ProbabilisticSegmenter, image: Volume, prompt: Prompt, settings: UncertaintySettings | None = None
) -> Uncertainty:
    """Ask a segmenter several times about one lesion, and say how far its answers lie apart.

    Raises
    ------
    GeometryError
        If the prompt lies outside of the image.
    ModelError
        If the segmenter cannot run on this image.
    """
    settings = settings or UncertaintySettings()
    for point in _points(prompt):
        image.geometry.require_point(point, "the prompt")
    part = _around(image, prompt, settings.surroundings_mm)
    first = segmenter.probabilities(part, prompt)
    low, high = _box_of(first, part.geometry, prompt)
    box = _Box(part.geometry, low, high)
    others = (_again(segmenter, part, prompt, box=box, settings=settings, run=run) for run in range(1, settings.runs))
    made = _summed_up(np.stack([box.brought(first), *others]), box.geometry, image, prompt=prompt, settings=settings)
    return _flagged(_expected(made, segmenter.experience(prompt)), settings)


@dataclass(frozen=True)
class _Box:
    """A part of a grid, from its first index (i, j, k) to one beyond its last."""

    grid: Geometry
    low: Index
    high: Index

    @property
    def geometry(self) -> Geometry:
        return self.grid.cropped(self.low, self.high)

    def brought(self, chance: Volume) -> FloatArray:
        """Chances from a grid of their own."""
        found: FloatArray = resample(chance, self.geometry, Interpolator.LINEAR, outside=0.0).array
        return np.clip(found, 0.0, 1.0)


def _again(
    segmenter: ProbabilisticSegmenter,
    part: Volume,
    prompt: Prompt,
    *,
    box: _Box,
    settings: UncertaintySettings,
    run: int,
) -> FloatArray:
    """The chances of one more run on the box."""
    random = np.random.default_rng([settings.hand.seed, run, 1])
    drawn = redrawn(prompt, part.geometry, settings.hand, draw=run)
    shifted = _shifted(part, random.uniform(-settings.shift_voxels, settings.shift_voxels, 3))
    axes = tuple(axis for axis in range(3) if settings.flips and random.integers(2))
    array_axes = tuple(2 - axis for axis in axes)
    image = replace(shifted, array=np.ascontiguousarray(np.flip(shifted.array, array_axes)))
    found = segmenter.probabilities(image, _mirror(drawn, image.geometry, axes))
    chance = resample(found, _mirrored_grid(box.geometry, image.geometry, axes), Interpolator.LINEAR, outside=0.0).array
    return np.flip(np.clip(chance, 0.0, 1.0), array_axes)


def _shifted(part: Volume, voxels: npt.NDArray[np.float64]) -> Volume:
    """The same scene sampled between its voxels; at its edges the outermost voxels go on."""
    grid = part.geometry
    outer = grid.to_lps((-1, -1, -1)).tolist()
    i, j, k = (n + 2 for n in grid.size)
    padded = replace(grid, origin_lps_mm=(outer[0], outer[1], outer[2]), size=(i, j, k))
    volume = replace(part, array=np.pad(part.array.astype(np.float32, copy=False), 1, mode="edge"), geometry=padded)
    x, y, z = grid.to_lps(voxels).tolist()
    return resample(volume, replace(grid, origin_lps_mm=(x, y, z)), Interpolator.LINEAR, outside=0.0)


def _mirrored_grid(box: Geometry, grid: Geometry, axes: Sequence[int]) -> Geometry:
    """Where the voxels of a box lie in the mirror image on a grid; along mirrored axes they come in reversed order."""
    corner = [n - 1 if axis in axes else 0 for axis, n in enumerate(box.size)]
    x, y, z = grid.to_lps(_mirrored_index(grid.to_index(box.to_lps(corner)), grid, axes)).tolist()
    return replace(box, origin_lps_mm=(x, y, z))


def _mirrored_index(index: npt.NDArray[np.float64], grid: Geometry, axes: Sequence[int]) -> npt.NDArray[np.float64]:
    return np.array([grid.size[axis] - 1 - index[axis] if axis in axes else index[axis] for axis in range(3)])


def _mirror(prompt: Prompt, grid: Geometry, axes: Sequence[int]) -> Prompt:
    """A prompt as it stands in the mirror image on the same grid."""

    def of(point: PointLps) -> PointLps:
        index = _mirrored_index(grid.to_index(point), grid, axes)
        index = np.clip(index, -0.49, np.array(grid.size) - 0.51)
        x, y, z = grid.to_lps(index).tolist()
        return x, y, z

    match prompt:
        case PointPrompt():
            return PointPrompt(of(prompt.point_lps_mm))
        case LinePrompt():
            return LinePrompt(of(prompt.start_lps_mm), of(prompt.end_lps_mm))
        case BidirectionalPrompt():
            first, second = (
                LinePrompt(of(axis.start_lps_mm), of(axis.end_lps_mm)) for axis in (prompt.long_axis, prompt.short_axis)
            )
            return BidirectionalPrompt(first, second)
        case BoxPrompt():
            return BoxPrompt(of(prompt.corner_lps_mm), of(prompt.opposite_lps_mm))


def _around(image: Volume, prompt: Prompt, reach_mm: float) -> Volume:
    """The part of an image around a prompt."""
    points = np.array(_points(prompt))
    low, high = points.min(axis=0) - reach_mm, points.max(axis=0) + reach_mm
    return image.cropped(*_index_box((low, high), image.geometry))


def _box_of(chance: Volume, grid: Geometry, prompt: Prompt) -> tuple[Index, Index]:
    """The part of the image's grid that all runs are looked at on: what the first one saw, or could have."""
    low, high = chance.geometry.bounds_lps_mm()
    points = np.array(_points(prompt))
    return _index_box((np.minimum(low, points.min(axis=0)), np.maximum(high, points.max(axis=0))), grid)


def _index_box(
    extent_mm: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], grid: Geometry
) -> tuple[Index, Index]:
    """First index, and one beyond the last, of the voxels in a box along the patient's axes; at least one."""
    low_mm, high_mm = extent_mm
    units = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    index = grid.to_index(low_mm + units * (high_mm - low_mm))
    size = np.array(grid.size)
    low = np.clip(np.floor(index.min(axis=0)), 0, size - 1).astype(int)
    high = np.clip(np.ceil(index.max(axis=0)) + 1, low + 1, size).astype(int)
    (a, b, c), (d, e, f) = low.tolist(), high.tolist()
    return (a, b, c), (d, e, f)


def _points(prompt: Prompt) -> list[PointLps]:
    match prompt:
        case PointPrompt():
            return [prompt.point_lps_mm]
        case LinePrompt():
            return [prompt.start_lps_mm, prompt.end_lps_mm]
        case BidirectionalPrompt():
            return [*_points(prompt.long_axis), *_points(prompt.short_axis)]
        case BoxPrompt():
            return [prompt.corner_lps_mm, prompt.opposite_lps_mm]


def _summed_up(
    chances: FloatArray, grid: Geometry, image: Volume, *, prompt: Prompt, settings: UncertaintySettings
) -> Uncertainty:
    """Everything that is said of some runs, shape (runs, slices, rows, columns)."""
    centre = np.mean(_points(prompt), axis=0)
    mean = chances.mean(axis=0)
    masks = [_nearest_part(chance, grid, centre) for chance in chances]
    mask = _nearest_part(mean, grid, centre)
    entropy = _entropy_bits(mean)
    found = [one for one in masks if not one.is_empty]
    shares = ((1 - settings.confidence) / 2, (1 + settings.confidence) / 2)
    agreement = float(np.mean([dice(first, second) or 0.0 for first, second in combinations(masks, 2)]))
    mean_entropy = None if mask.is_empty else float(entropy[mask.array > 0].mean())
    return Uncertainty(
        chance=Volume(mean, grid, image.modality),
        entropy=Volume(entropy, grid, image.modality),
        mask=mask,
        volume_ml=None if mask.is_empty else _spread(_volume_ml(mask), [_volume_ml(one) for one in masks], shares),
        long_axis_mm=None
        if mask.is_empty or not found
        else _spread(measure(mask, 1).long_axis_mm, [measure(one, 1).long_axis_mm for one in found], shares),
        agreement=agreement,
        mean_entropy=mean_entropy,
        runs=len(masks),
        empty_runs=len(masks) - len(found),
        experience=None,
        expected_volume_ml=None,
        expected_long_axis_mm=None,
        flag=QualityFlag(False, ()),
    )


def _expected(found: Uncertainty, experience: Experience | None) -> Uncertainty:
    """With what experience says of the true values."""
    if experience is None:
        return found

    def around(said: Spread | None, ratios: tuple[float, float]) -> Spread | None:
        return said and Spread(said.value, said.value * ratios[0], said.value * ratios[1])

    return replace(
        found,
        experience=experience,
        expected_volume_ml=around(found.volume_ml, experience.volume),
        expected_long_axis_mm=around(found.long_axis_mm, experience.long_axis),
    )


def _flagged(found: Uncertainty, settings: UncertaintySettings) -> Uncertainty:
    reasons = tuple(_reasons(found, settings))
    return replace(found, flag=QualityFlag(bool(reasons), reasons))


def _reasons(found: Uncertainty, settings: UncertaintySettings) -> Iterator[str]:
    """Why a person has to look, in words with numbers."""
    if found.mask.is_empty:
        yield "no lesion was found"
        return
    if found.empty_runs:
        yield f"{found.empty_runs} of {found.runs} runs found no lesion"
    if found.agreement < settings.least_agreement:
        yield f"the runs agree by a Dice of {found.agreement:.2f}, less than {settings.least_agreement:g}"
    for spread, what, most in (
        (found.long_axis_mm, "long axis", settings.widest_long_axis),
        (found.volume_ml, "volume", settings.widest_volume),
    ):
        if spread is not None and spread.upper - spread.lower > most * spread.value:
            share = 100 * (spread.upper - spread.lower) / spread.value
            yield f"the {what} spreads over {share:.0f} % of itself, more than {100 * most:.0f} %"
    if found.mean_entropy is not None and found.mean_entropy > settings.most_entropy:
        yield f"mean entropy within the lesion is {found.mean_entropy:.2f} bits, more than {settings.most_entropy:g}"
    yield from _reasons_beyond_the_runs(found)


def _reasons_beyond_the_runs(found: Uncertainty) -> Iterator[str]:
    known = found.experience
    if known is not None and known.is_mostly_bad:
        yield f"of {known.answers} answers to such a prompt whose truth is known, {known.bad} were bad (Dice below 0.7)"
    if "touches_image_border" in measure(found.mask, 1).flags:
        yield "the lesion reaches the edge of what was looked at"


def _nearest_part(chance: FloatArray, grid: Geometry, centre: npt.NDArray[np.float64]) -> Mask:
    """The connected part at or above one half that holds a point, or lies nearest to it."""
    parts, count = ndimage.label(chance >= 0.5, _TOGETHER)
    if count == 0:
        return Mask(np.zeros(chance.shape, np.uint8), grid)
    k, j, i = np.nonzero(parts)
    away = np.linalg.norm(grid.to_lps(np.stack([i, j, k], axis=1)) - centre, axis=1)
    nearest = int(away.argmin())
    return Mask((parts == parts[k[nearest], j[nearest], i[nearest]]).astype(np.uint8), grid)


def _entropy_bits(chance: FloatArray) -> FloatArray:
    p = np.clip(chance.astype(np.float64), 1e-12, 1 - 1e-12)
    entropy: FloatArray = -(p * np.log2(p) + (1 - p) * np.log2(1 - p)).astype(np.float32)
    return entropy


def _volume_ml(mask: Mask) -> float:
    return float(np.count_nonzero(mask.array)) * mask.geometry.voxel_volume_mm3 / 1000


def _spread(value: float, runs: Sequence[float], shares: tuple[float, float]) -> Spread:
    lower, upper = np.quantile(runs, shares).tolist()
    return Spread(value, lower, upper)

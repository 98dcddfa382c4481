"""The prompt network taught from a recipe, or on from its weights with a user's own lesions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.bootstrap.evaluation import lesion_set, open_case
from trialimg.bootstrap.images import open_image
from trialimg.core.errors import IntakeError, ProtocolError

if TYPE_CHECKING:
    from trialimg.adapters.segmenters.prompt_network.examples import Case
    from trialimg.adapters.segmenters.prompt_network.learning import Material
    from trialimg.adapters.segmenters.prompt_network.recipe import Recipe
    from trialimg.services.evaluate_segmentation import EvaluationCase

__all__ = ["Training", "finetune_network", "train_network"]

Tell = Callable[[str, int, int], None]
_FEWEST_VOXELS = 30
"""A region with fewer voxels teaches nothing about its edge."""


@dataclass(frozen=True)
class Training:
    """How a training is carried out."""

    out: Path
    """Folder of checkpoints, curves and weights; a later call goes on from there."""
    data: tuple[Path, ...] = ()
    """Folders that the paths of a recipe count from; the first that has one counts."""
    device: str = "auto"
    workers: int = 1
    seed: int | None = None
    """Instead of the recipe's."""
    processes: int = 1
    """Processes that share each batch, one device each."""


def train_network(config: Path, training: Training, *, fold: int | None, tell: Tell) -> Path:
    """Weights from a recipe; the folder that they are in.

    Parameters
    ----------
    fold
        Leaves the subjects of this fold out of fine-tuning, counted from 0; None: nobody.

    Raises
    ------
    ProtocolError
        If the recipe has a fault or no such fold.
    IntakeError
        If an image is not there or cannot be read.
    """
    from trialimg.adapters.segmenters.prompt_network.learning import Run, learn
    from trialimg.adapters.segmenters.prompt_network.recipe import read_recipe

    recipe = read_recipe(config)
    if training.seed is not None:
        recipe = replace(recipe, seed=training.seed)
    if fold is not None and not 0 <= fold < len(recipe.folds):
        raise ProtocolError(f"{config}: has {len(recipe.folds)} folds, counted from 0; there is no fold {fold}")
    left_out = recipe.folds[fold] if fold is not None else ()
    chosen = _chosen(recipe, training, left_out)
    facts = {"trained_on": sorted({case.subject for case in chosen}), "left_out": list(left_out)}
    stage = "finetuned" if fold is None else f"fold-{fold}"
    run = Run(training.out, stage, None, training.device, training.workers, training.processes)
    return _with_curve(learn(recipe, _material(recipe, training, chosen), run, facts=facts, tell=tell))


def finetune_network(lesions: Path, config: Path, training: Training, *, start: Path | None, tell: Tell) -> Path:
    """Weights taught on with the lesions of a data set; the folder that they are in.

    Parameters
    ----------
    lesions
        Data set in a layout that `lesion_set` knows: nnU-Net's raw layout, an inventory, or a table of images (files or
        folders of one DICOM series) and masks (files, DICOM SEG or RTSTRUCT).
    config
        Recipe whose fine-tuning, backgrounds and share of real lesions are taken.
    start
        Folder of the weights to start from; None: those that come with the software.

    Raises
    ------
    ProtocolError
        If the recipe has a fault or no fine-tuning.
    IntakeError
        If an image is not there or cannot be read.
    """
    from trialimg.adapters.segmenters.prompt_network.learning import Run, learn
    from trialimg.adapters.segmenters.prompt_network.recipe import read_recipe
    from trialimg.adapters.segmenters.prompt_network.shipped import Shipped

    recipe = replace(read_recipe(config), pretraining=None, folds=(), lesions=str(lesions))
    if training.seed is not None:
        recipe = replace(recipe, seed=training.seed)
    if recipe.finetuning is None:
        raise ProtocolError(f"{config}: has no finetuning")
    before = Shipped.at(start)
    cases = tuple(lesion_set(lesions))
    facts = {"trained_on": sorted({case.subject for case in cases}), "started_from": before.digest}
    run = Run(training.out, "finetuned", before.folder, training.device, training.workers, training.processes)
    return _with_curve(learn(recipe, _material(recipe, training, cases), run, facts=facts, tell=tell))


def _with_curve(folder: Path) -> Path:
    """The folder, with a picture of the curve beside its table."""
    from trialimg.adapters.exporters.learning import write_curve

    write_curve(folder / "curve.csv", folder / "curve.svg")
    return folder


def _chosen(recipe: Recipe, training: Training, left_out: Sequence[str]) -> tuple[EvaluationCase, ...]:
    """The cases of the recipe's data set, those of some subjects left out."""
    if not recipe.lesions or recipe.finetuning is None:
        return ()
    cases = lesion_set(_found(recipe.lesions, training.data))
    strangers = sorted({name for fold in recipe.folds for name in fold} - {case.subject for case in cases})
    if strangers:
        named = ", ".join(strangers)
        raise ProtocolError(f"folds: {named} is not in the data set {recipe.lesions}; every subject of a fold must be")
    return tuple(case for case in cases if case.subject not in left_out)


def _material(recipe: Recipe, training: Training, cases: Sequence[EvaluationCase]) -> Material:
    from trialimg.adapters.segmenters.prompt_network.examples import Scan
    from trialimg.adapters.segmenters.prompt_network.learning import Material

    backgrounds = [Scan.of(open_image(_found(name, training.data))) for name in recipe.backgrounds]
    return Material(backgrounds, [made for case in cases for made in _lesions(case)])


def _lesions(case: EvaluationCase) -> Iterator[Case]:
    """Each label of a mask as one lesion; regions of next to no voxels are left out."""
    import numpy as np

    from trialimg.adapters.segmenters.prompt_network.examples import Case

    image, mask = open_case(case)
    for label in mask.labels:
        if np.count_nonzero(mask.array == label) >= _FEWEST_VOXELS:
            yield Case.of(f"{case.id} {label}", image, mask.only(label))


def _found(name: str, folders: Sequence[Path]) -> Path:
    """A path of a recipe below the first folder that has it."""
    for folder in (*folders, Path()):
        if (folder / name).exists():
            return folder / name
    raise IntakeError(f"{name}: is in none of {', '.join(map(str, folders)) or 'the current folder'}; give --data")

"""The network learns the same from the same seed, also after a kill; and it does learn."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load

from trialimg.adapters.segmenters.prompt_network.examples import Case, Examples, Scan
from trialimg.adapters.segmenters.prompt_network.learning import Material, Run, learn
from trialimg.adapters.segmenters.prompt_network.network import PromptUNet
from trialimg.adapters.segmenters.prompt_network.recipe import Recipe, Schedule, read_recipe
from trialimg.adapters.segmenters.prompt_network.shipped import Shipped
from trialimg.adapters.segmenters.prompt_network.training import Trainer
from trialimg.core.errors import ModelError, ProtocolError
from trialimg.volume import Geometry, Mask, Unit, Volume

WIDTHS = (8, 8)
GRID = Geometry((40, 40, 20), (1.5, 1.5, 3.0), (0.0, 0.0, 0.0))


def scan() -> Volume:
    random = np.random.default_rng(3)
    return Volume(random.normal(40, 15, GRID.shape).astype(np.float32), GRID, "CT", Unit.HU)


def case() -> Case:
    k, j, i = np.indices(GRID.shape)
    ball = ((i - 20) * 1.5) ** 2 + ((j - 18) * 1.5) ** 2 + ((k - 10) * 3.0) ** 2 <= 12**2
    image = scan()
    return Case.of("one", replace(image, array=image.array + 80 * ball), Mask(ball.astype(np.uint8), GRID))


def examples(first: int, count: int) -> Examples:
    return Examples([Scan.of(scan())], [case()], 0.5, 6, first, count)


def trained(folder: Path, iterations: int, until: int | None = None) -> dict[str, torch.Tensor]:
    """Weights after some iterations; with ``until``, killed there."""

    def report(done: int) -> None:
        if done == until:
            raise KeyboardInterrupt

    torch.manual_seed(1)
    schedule = Schedule(iterations, batch=1, warm_up=1, keep_every=1)
    trainer = Trainer(PromptUNet(11, WIDTHS), schedule, folder, device="cpu")
    trainer.resume()
    with suppress(KeyboardInterrupt):
        trainer.run(examples, workers=0, report=report)
    return trainer.averaged


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", 4)
    trained(tmp_path / "killed", 4, until=3)
    resumed = trained(tmp_path / "killed", 4)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_an_example_depends_on_seed_and_number_alone() -> None:
    given, truth = examples(0, 9)[7]
    again, same = examples(5, 9)[2]
    assert torch.equal(given, again)
    assert torch.equal(truth, same)
    assert not torch.equal(given, examples(0, 9)[6][0])
    assert truth.sum() > 10


def recipe(**changes: object) -> Recipe:
    schedule = Schedule(1, batch=1, keep_every=1)
    return replace(Recipe(6, WIDTHS, ("ct",), schedule, schedule, "set"), **changes)


def test_a_recipe_gives_a_folder_of_weights_that_its_card_names(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    material = Material([Scan.of(scan())], [case()])
    run = Run(tmp_path, "fold-0", device="cpu", workers=0)
    folder = learn(recipe(), material, run, facts={"licence": "CC0"}, tell=lambda *said: told.append(said))
    made = Shipped.at(folder)
    assert (made.widths, made.licence) == (WIDTHS, "CC0")
    assert told == [("pretrained", 1, 1), ("fold-0", 1, 1)]
    (folder / "weights.safetensors").write_bytes(b"other")
    with pytest.raises(ModelError, match="its card says sha256:"):
        Shipped.at(folder)


def test_two_processes_that_share_each_batch_learn_what_one_learns(tmp_path: Path) -> None:
    schedule = Schedule(3, batch=2, warm_up=1, keep_every=1)
    both = recipe(pretraining=None, finetuning=schedule)
    told: list[tuple[str, int, int]] = []
    weights, curves = [], []
    for processes in (1, 2):
        run = Run(tmp_path / str(processes), device="cpu", workers=0, processes=processes)
        material = Material([Scan.of(scan())], [case()])
        folder = learn(both, material, run, facts={}, tell=lambda *said: told.append(said))
        weights.append(torch.load(folder / "checkpoint.pt", weights_only=True)["averaged"])
        curves.append((folder / "curve.csv").read_text().split())
    assert told == 2 * [("finetuned", number, 3) for number in (1, 2, 3)]
    torch.manual_seed(6)
    start = PromptUNet(11, WIDTHS).state_dict()
    alone, shared, before = (torch.cat([w[name].flatten() for name in start]) for w in (*weights, start))
    assert (alone - shared).abs().mean() < 0.1 * (alone - before).abs().mean()  # rounding, in half precision
    first, second = ([float(line.split(",")[1]) for line in curve] for curve in curves)
    assert first == pytest.approx(second, abs=1e-3)


def test_a_batch_that_cannot_be_shared_evenly_and_devices_that_are_not_there_are_refused(tmp_path: Path) -> None:
    material = Material([Scan.of(scan())], [case()])
    uneven = Run(tmp_path, device="cpu", workers=0, processes=2)
    with pytest.raises(ModelError, match="a batch of 1 cannot be shared evenly by 2 processes"):
        learn(recipe(), material, uneven, facts={}, tell=lambda *_: None)
    if not torch.cuda.is_available():
        with pytest.raises(ModelError, match="there is no device 'cuda'"):
            learn(recipe(), material, Run(tmp_path, device="cuda"), facts={}, tell=lambda *_: None)


def test_fine_tuning_starts_from_the_given_weights(tmp_path: Path) -> None:
    material = Material([Scan.of(scan())], [case()])
    first = learn(recipe(), material, Run(tmp_path / "a", workers=0), facts={}, tell=lambda *_: None)
    still = recipe(pretraining=None, finetuning=Schedule(1, batch=1, rate=0.0, weight_decay=0.0))
    run = Run(tmp_path / "b", start=first, workers=0)
    second = learn(still, material, run, facts={}, tell=lambda *_: None)
    before, after = (load(Shipped.at(folder).bytes()) for folder in (first, second))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_shipped_recipe_leaves_every_subject_out_once() -> None:
    import trialimg.adapters.segmenters.prompt_network as package

    shipped = read_recipe(Path(package.__file__).parent / "weights" / "recipe.yaml")
    subjects = [name for fold in shipped.folds for name in fold]
    assert len(shipped.folds) == 5
    assert len(subjects) == len(set(subjects)) == 19


def test_everything_wrong_with_a_recipe_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("seed: -1\nwidths: [3]\nbackground: [ct]\npretraining: {rate: 1}\n")
    with pytest.raises(ProtocolError) as refusal:
        read_recipe(path)
    assert [fault.where for fault in refusal.value.faults] == [
        "background", "seed", "widths", "pretraining", "backgrounds",
    ]  # fmt: skip

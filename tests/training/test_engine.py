"""What the engine keeps of a training and what it survives: with one layer and given scores."""

import json
import math
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import accelerate.tracking
import numpy as np
import pytest
import torch
from accelerate import Accelerator
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

from colorize_core.downloads import checkpoints
from colorize_core.errors import OptionError
from colorize_core.training import engine, plots
from colorize_core.training.data import find_photos, load_photos, select_choosing, select_reporting

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


@dataclass(frozen=True)
class Config:
    width: int = 3


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.config = Config()
        self.layers = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), torch.nn.BatchNorm2d(3))

    def forward(self, photos):
        return self.layers(photos)


@dataclass
class Scripted(engine.Recipe):
    """Its looks get these scores, one after the other."""

    scores: Iterator[float]
    sides: tuple[int, ...] = (8,)
    until: tuple[float, ...] = (1.0,)
    least_scale: float = 1.0
    seen: list[dict] = field(default_factory=list)  # the weights of each look
    chosen_by: ClassVar = {"ciede2000": "lowest"}

    def build_parts(self, photos):
        return {"network": Layer()}

    def build_optimizer(self, part):
        return torch.optim.SGD(part.parameters(), 0.1)

    def choose_learning(self, progress):
        return ("network",)

    def compute_loss(self, parts, batch, learning, progress):
        return {"loss": parts["network"](batch.photos).sub(batch.photos).square().mean()}

    def evaluate(self, network, batch):
        self.seen.append({k: v.clone() for k, v in network.state_dict().items()})
        return {"other": 0.0, "ciede2000": next(self.scores)}

    def draw_sheet(self, network, batch):
        return [[np.zeros((8, 8, 3), np.uint8)] for _ in batch.photos]


class Highest(Scripted):
    chosen_by: ClassVar = {"ciede2000": "highest"}


class Last(Scripted):
    chosen_by: ClassVar = {}


@pytest.fixture
def photos(tmp_path, rng):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def no_curves(monkeypatch):
    """Drawn at every look they take longer than all else here."""
    monkeypatch.setattr(engine, "draw_curves", lambda history, path: None)


@pytest.fixture
def training(photos, tmp_path):
    """A function that trains with a look after every step and returns the recipe."""

    def run(*scores, kind=Scripted, **changes):
        recipe = kind(iter(scores))
        settings = {"data": (photos,), "val": (photos,), "out": tmp_path / "run", "batch": 2}
        settings |= {"side": 8, "look_every": 0.0, "log_every": 1, "norm_batches": 1, "ema": 0.5}
        settings |= {"steps": len(scores), "precision": "no"} | changes
        assert (
            engine.train("layer", recipe, engine.TrainingSettings(**settings))
            == told_of(tmp_path)[0]
        )
        return recipe

    return run


def told_of(folder, name="model.safetensors"):
    """The path of a run's weight file and what it says of its training."""
    path = folder / "run" / name
    with safe_open(path, "pt") as file:
        return path, json.loads(file.metadata()["training"])


def is_of(path: Path, state: dict) -> bool:
    stored = load_file(path)
    return all(
        torch.equal(value, checkpoints.round_weights(state[name])) for name, value in stored.items()
    )


def progress_of(folder):
    return torch.load(folder / "run" / "checkpoint" / "custom_checkpoint_1.pkl", weights_only=True)


def test_photographs_for_validation_are_split_by_rule(photos):
    found = find_photos([photos])
    assert [select_reporting(found), select_choosing(found)] == [found[:2], found[2:]]
    many = [object() for _ in range(1500)]
    assert select_reporting(many) == many[:500]
    assert select_choosing(many) == many[500:]
    assert (select_reporting(found[:2]), select_choosing(found[:2])) == ([], found[:2])


def test_photographs_are_loaded_by_part(photos):
    everything = load_photos([photos], 8).pixels
    parts = [
        load_photos([photos], 8, part=part).pixels for part in (select_reporting, select_choosing)
    ]
    assert torch.equal(torch.cat(parts), everything)
    assert torch.equal(load_photos([photos], 8, 1, part=select_choosing).pixels, everything[2:3])


def test_looks_are_scored_on_the_choosing_part(training, photos, monkeypatch):
    batches = []
    monkeypatch.setattr(Scripted, "evaluate", lambda *given: batches.append(given[2]) or {})
    training(0.0, val_limit=3)
    expected = load_photos([photos], 8, part=select_choosing).pixels[:3].float() / 255
    assert torch.equal(batches[0].photos, expected)


@pytest.mark.parametrize(
    ("kind", "scores", "best"),
    [
        (Scripted, (3.0, 1.0, 2.0), 1),
        (Scripted, (1.0, 1.0, 1.0), 0),
        (Scripted, (math.nan, 2.0, math.nan), 1),
        (Highest, (3.0, 4.0, 2.0), 1),
        (Highest, (math.nan, -4.0, -5.0), 1),
        (Scripted, (3.0, 2.0, 1.0), 2),
        (Last, (1.0, 2.0, 3.0), 2),
    ],
)
def test_the_best_look_is_kept(training, tmp_path, kind, scores, best):
    recipe = training(*scores, kind=kind)
    assert len(recipe.seen) == 3, "the look at the last step is the last one"
    path, told = told_of(tmp_path)
    assert told["seen"] == 2 * (best + 1)
    assert is_of(path, recipe.seen[best])
    last = tmp_path / "run" / "last.safetensors"
    assert last.exists() == (best < 2), "the last look, where it is not the best"
    if last.exists():
        assert is_of(last, recipe.seen[2])


def test_without_validation_the_last_look_counts(training, tmp_path):
    training(*range(3), val=())
    assert told_of(tmp_path)[1] == {"seen": 6, "looks": []}


def test_a_score_that_no_recipe_is_chosen_by_leaves_the_last_look(training, tmp_path, monkeypatch):
    monkeypatch.setattr(Scripted, "chosen_by", {"accuracy": "highest"})
    training(1.0, 2.0)
    assert told_of(tmp_path)[1]["ciede2000"] == 2.0


def test_the_best_score_survives_a_resume(training, tmp_path):
    training(3.0, 1.0, 2.0)
    assert progress_of(tmp_path)["best"] == {"seen": 4, "other": 0.0, "ciede2000": 1.0}
    recipe = training(2.0, 1.5, steps=5)
    assert len(recipe.seen) == 2
    assert told_of(tmp_path)[1]["seen"] == 4
    assert progress_of(tmp_path)["stale"] == 3
    training(0.5, steps=6)
    path, told = told_of(tmp_path)
    assert (told["seen"], told["ciede2000"]) == (12, 0.5)
    assert [look["ciede2000"] for look in told["looks"]] == [3.0, 1.0, 2.0, 2.0, 1.5, 0.5]
    assert not path.with_name("last.safetensors").exists()


def test_a_finished_run_looks_again_only_if_its_weights_are_gone(training, tmp_path):
    training(3.0, 1.0)
    assert not training(steps=2).seen
    told_of(tmp_path)[0].unlink()
    assert len(training(2.0, steps=2).seen) == 1
    assert told_of(tmp_path)[1]["ciede2000"] == 2.0


def test_weights_to_start_from_stay_if_no_look_is_better(training, tmp_path):
    given = Layer()
    engine.save_weights(given, tmp_path / "given.safetensors", {"seen": 30, "before": 12})
    recipe = training(1.0, 2.0, 3.0, steps=2, start_from=tmp_path / "given.safetensors")
    path, told = told_of(tmp_path)
    assert (told["seen"], told["before"], told["ciede2000"]) == (0, 42, 1.0)
    assert is_of(path, given.state_dict())
    assert len(recipe.seen) == 3, "the given weights, then each step's"
    training(0.5, steps=3, start_from=tmp_path / "given.safetensors")
    assert told_of(tmp_path)[1]["seen"] == 6, "a resumed run does not begin with them again"


def test_a_mix_is_a_mean_of_the_weights_before_and_after(training, tmp_path):
    engine.save_weights(Layer(), tmp_path / "given.safetensors", {"seen": 30})
    start = {"start_from": tmp_path / "given.safetensors"}
    found = []
    for mix in (1.0, 0.25):  # in a run and where it is resumed
        once = training(9.0, 8.0, steps=1, **start, mix=mix).seen
        found.append([*once, *training(7.0, steps=2, **start, mix=mix).seen])
        assert told_of(tmp_path)[1].get("mix", 1.0) == mix
        shutil.rmtree(tmp_path / "run")
    weight = "layers.0.weight"
    assert not torch.equal(found[0][0][weight], found[0][-1][weight])
    for name, _ in Layer().named_parameters():
        first, *trained = (look[name] for look in found[0])
        mixed = [look[name] for look in found[1]]
        expected = [first, *(torch.lerp(first, each, 0.25) for each in trained)]
        torch.testing.assert_close(mixed, expected)


@pytest.mark.parametrize(("mix", "given"), [(0.0, True), (1.5, True), (0.5, False)])
def test_a_mix_is_a_share_of_something(training, tmp_path, mix, given):
    start = tmp_path / "given.safetensors" if given else None
    with pytest.raises(OptionError, match="mix is"):
        training(1.0, start_from=start, mix=mix)


def test_patience_ends_a_run(training, tmp_path, capfd):
    recipe = training(3.0, 1.0, 2.0, 1.0, 0.0, patience=2)
    assert len(recipe.seen) == 4
    assert told_of(tmp_path)[1]["seen"] == 4
    text = "stopped: none of the last 2 looks was the best so far"
    assert text in capfd.readouterr().out
    assert not training(steps=5, patience=2).seen, "the same command stays stopped"
    assert len(training(2.0, 0.0, steps=6, patience=3).seen) == 1
    assert len(training(2.0, 0.0, steps=6).seen) == 1, "without patience it goes to the end"


def test_a_better_look_gives_patience_anew(training):
    assert len(training(3.0, 4.0, 2.0, 4.0, 1.0, patience=2).seen) == 5


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (Scripted, {"patience": 0}, "at least 1 look"),
        (Scripted, {"patience": 2, "val": ()}, "--val"),
        (Last, {"patience": 2}, "its last look counts"),
    ],
)
def test_patience_that_has_nothing_to_go_by_is_refused(training, kind, changes, message):
    with pytest.raises(OptionError, match=message):
        training(1.0, kind=kind, **changes)


@dataclass
class Stopped(Scripted):
    """Its process is asked to stop while the second step is taken."""

    number: ClassVar[int] = signal.SIGTERM

    def compute_loss(self, parts, batch, learning, progress):
        if parts["network"].training and progress == 0.25:
            os.kill(os.getpid(), self.number)
        return super().compute_loss(parts, batch, learning, progress)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_a_run_loses_nothing_of_it(training, tmp_path, capfd, monkeypatch, number):
    monkeypatch.setattr(Stopped, "number", number)
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        training(*range(4), kind=Stopped, look_every=60.0)
    assert "learned from 4 photographs is kept" in capfd.readouterr().out
    assert (progress_of(tmp_path)["step"], progress_of(tmp_path)["looked"]) == (2, None)
    assert signal.getsignal(number) is before
    recipe = training(7.0, look_every=60.0, steps=4)
    assert len(recipe.seen) == 1
    steps = [row["seen"] for row in progress_of(tmp_path)["history"] if "loss" in row]
    assert steps == [2, 4, 6, 8]
    assert told_of(tmp_path)[1]["seen"] == 8


def test_who_stops_a_run_at_its_last_look_has_its_end(training, tmp_path, monkeypatch):
    def score(recipe, network, batch):
        os.kill(os.getpid(), signal.SIGINT)
        return {"ciede2000": 1.0}

    monkeypatch.setattr(Scripted, "evaluate", score)
    training(1.0, look_every=60.0)
    assert told_of(tmp_path)[1]["ciede2000"] == 1.0
    assert progress_of(tmp_path)["looked"] == 1


def test_who_cannot_wait_for_the_step_stops_at_once(training, tmp_path, monkeypatch):
    def ask_twice(recipe, parts, batch, learning, progress):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Scripted, "compute_loss", ask_twice)
    with pytest.raises(KeyboardInterrupt):
        training(1.0)
    assert not (tmp_path / "run" / "checkpoint").exists()


def test_a_run_needs_no_matplotlib(training, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(engine, "draw_curves", plots.draw_curves)
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    training(3.0, 1.0, 2.0)
    out = tmp_path / "run"
    assert told_of(tmp_path)[1]["seen"] == 4
    assert progress_of(tmp_path)["step"] == 3
    assert len(list(out.glob("samples-*.png"))) == 3
    assert not (out / "curves.png").exists()
    said = [line for line in capfd.readouterr().out.splitlines() if "matplotlib" in line]
    assert len(said) == 1, "once a run"
    assert said[0].startswith("no curves are drawn: ModuleNotFoundError")


def test_state_is_saved_before_pictures_are_drawn(training, tmp_path, capfd, monkeypatch):
    saved = []

    def draw(rows, path):
        checkpoint = (tmp_path / "run" / "checkpoint").exists()
        saved.append(checkpoint and (progress_of(tmp_path)["step"], told_of(tmp_path)[1]["seen"]))
        raise OSError("no space left")

    monkeypatch.setattr(engine, "draw_contact_sheet", draw)
    monkeypatch.setattr(engine, "draw_curves", plots.draw_curves)
    training(2.0, 1.0)
    assert saved == [(1, 2), (2, 4)]
    assert "no samples are drawn: OSError: no space left" in capfd.readouterr().out
    assert (tmp_path / "run" / "curves.png").exists()


def test_a_run_needs_no_tensorboard(training, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(accelerate.tracking, "_available_trackers", [])
    training(1.0)
    assert "TensorBoard is not installed" in capfd.readouterr().out
    assert not (tmp_path / "run" / "layer").exists()


@pytest.fixture
def clock(monkeypatch):
    """A function that says how many seconds reading, a step and a look take; it gives a list with
    the seconds that have passed since, by the engine's clock."""
    passed = [0.0]

    def take(**seconds):
        def slow(name, method):
            def wrapper(*given):
                passed[0] += seconds[name]
                return method(*given)

            monkeypatch.setattr(Scripted, name, wrapper)

        for name in seconds:
            slow(name, getattr(Scripted, name))
        return passed

    monkeypatch.setattr(engine, "time", SimpleNamespace(monotonic=lambda: passed[0]))
    return take


def test_a_run_of_minutes_ends_with_its_last_look(training, tmp_path, clock):
    minutes = {"steps": None, "minutes": 2.0, "look_every": 0.5, "norm_batches": 0}
    passed = clock(build_parts=20.0, compute_loss=3.0, evaluate=10.0)
    recipe = training(4.0, 3.0, 2.0, 1.0, **minutes)
    assert 115 < passed[0] <= 120 + 3, "a step is not broken off"
    assert len(recipe.seen) == 3
    assert told_of(tmp_path)[1]["ciede2000"] == 2.0
    assert not training(**minutes).seen, "the same command does not go on"


def test_a_run_without_time_for_a_step_is_refused(training, clock):
    clock(build_parts=90.0, compute_loss=1.0, evaluate=1.0)
    with pytest.raises(OptionError, match=r"1\.5 minutes are over before the first step.*--limit"):
        training(1.0, steps=None, minutes=1.5)


@pytest.fixture
def interrupted(monkeypatch):
    """A function after which the saving of so many checkpoints works, and the next breaks off."""
    save = Accelerator.save_state

    def after(count):
        left = iter(range(count))

        def break_off(self, folder):
            save(self, folder)
            if next(left, None) is None:
                (folder / "custom_checkpoint_1.pkl").write_bytes(b"half")
                raise KeyboardInterrupt

        monkeypatch.setattr(Accelerator, "save_state", break_off)

    yield after
    monkeypatch.setattr(Accelerator, "save_state", save)


def test_an_interrupted_checkpoint_leaves_the_one_before(training, tmp_path, interrupted):
    interrupted(2)
    with pytest.raises(KeyboardInterrupt):
        training(3.0, 2.0, 1.0)
    assert progress_of(tmp_path)["step"] == 2
    interrupted(9)
    recipe = training(2.5, 2.5, steps=4)
    assert len(recipe.seen) == 2
    assert progress_of(tmp_path)["step"] == 4
    assert {p.name for p in (tmp_path / "run").glob("check*")} == {"checkpoint"}
    _, told = told_of(tmp_path)
    assert told["ciede2000"] == 1.0, "of the look whose checkpoint was lost, yet better"


def test_an_interrupted_first_checkpoint_is_none(training, tmp_path, interrupted):
    interrupted(0)
    with pytest.raises(KeyboardInterrupt):
        training(3.0)
    interrupted(9)
    assert len(training(4.0, 5.0).seen) == 2
    assert progress_of(tmp_path)["step"] == 2


@pytest.mark.parametrize("moved", [True, False])
def test_a_checkpoint_that_was_being_replaced_is_found(training, tmp_path, moved):
    """Interrupted between its two moves, or while the one before was being removed."""
    training(3.0, 2.0)
    out = tmp_path / "run"
    if moved:
        (out / "checkpoint").rename(out / "checkpoint.old")
    else:
        shutil.copytree(out / "checkpoint", out / "checkpoint.old")
    assert len(training(1.0, steps=3).seen) == 1
    assert progress_of(tmp_path)["step"] == 3
    assert {p.name for p in out.glob("check*")} == {"checkpoint"}

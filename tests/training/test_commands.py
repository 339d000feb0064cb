"""The commands of docs/training.md, each as it stands there, for a few steps on made-up photos."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import training_files
from accelerate.state import AcceleratorState
from safetensors import safe_open

from colorize_core.cli.train import configure, main, make_parser
from colorize_core.training import engine, presets, recipes
from colorize_core.training.engine import Recipe, TrainingSettings

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text("utf-8")
# | name | needs | `python -m colorize_core.training ...` |
COMMANDS = {
    name: shlex.split(command)
    for name, command in re.findall(
        r"^\| ([\w-]+) \| .* \| `python -m colorize_core\.training (.+)` \|$", TEXT, re.MULTILINE
    )
}
BUDGET = "--steps 2 --batch 2 --side 32 --sides 32 --until 1 --val-limit 2 --norm-batches 1"
TINY = [*BUDGET.split(), "--log-every", "1"]


@pytest.fixture
def files(tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the commands are given in, with what they name."""
    for name in ("train", "val"):
        training_files.write_photos(tmp_path / name, rng, ("houses", "streets"))
        training_files.write_zip(tmp_path / name)
    training_files.write_people(tmp_path / "people.zip", rng)
    training_files.write_windows(tmp_path / "faces.safetensors")
    training_files.write_teacher(tmp_path / "runs" / "se-unet" / "model.safetensors")
    monkeypatch.setattr(engine, "draw_curves", lambda history, path: None)  # slow; tried elsewhere
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def any_precision() -> Iterator[None]:
    """Accelerate keeps the first precision of a process: that of other tests is another one."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


def parse(arguments: list[str]) -> tuple[str, Recipe, TrainingSettings]:
    return configure(make_parser().parse_args(arguments))


def test_there_is_one_command_a_network() -> None:
    assert list(COMMANDS) == list(recipes.RECIPES)
    assert TEXT.count("--preset gpu --data") == len(recipes.RECIPES)


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_command_is_for_one_gpu_and_12_minutes(name: str) -> None:
    parsed, _, settings = parse(COMMANDS[name])
    assert parsed == name
    assert settings.precision == "bf16"
    assert settings.minutes < presets.LIMIT == 12
    assert settings.look_every < 2
    assert settings.steps is None
    assert settings.out == Path("runs", name)
    assert settings.val, "the best look is kept"


def test_flags_override_a_preset() -> None:
    arguments = ["unet-gan", "--data", "x", "--minutes", "3", "--pretrained"]
    with pytest.raises(SystemExit):
        parse(arguments)  # this network has no backbone
    _, _, settings = parse(["cnn-mse", "--data", "x", "--minutes", "3"])
    assert (settings.minutes, settings.precision, settings.batch) == (3.0, "auto", 128)
    _, _, settings = parse(["cnn-mse", "--preset", "gpu", "--data", "x", "--minutes", "3"])
    assert (settings.minutes, settings.precision, settings.batch) == (3.0, "bf16", 256)
    _, _, settings = parse(["sagan", "--batch", "8", "--data", "x", "y", "--preset", "gpu"])
    assert (settings.batch, settings.data) == (8, (Path("x"), Path("y")))


def test_a_preset_is_told_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["coltran", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "at most 12 minutes: --precision bf16 --minutes 11.0 --look-every 1.5" in told
    assert "--batch 128" in told


def history_of(out: Path) -> list[dict[str, float]]:
    """What the run has kept of each step's losses."""
    kept = torch.load(out / "checkpoint" / "custom_checkpoint_1.pkl", weights_only=True)
    return [row for row in kept["history"] if any(key.endswith("loss") for key in row)]


def losses_of(out: Path) -> list[float]:
    """Every loss that the run has kept."""
    rows = history_of(out)
    return [value for row in rows for key, value in row.items() if key.endswith("loss")]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.usefixtures("any_precision", "files")
@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_command_learns(name: str) -> None:
    budget = ["--precision", "no", "--steps", "6", "--batch", "4"]  # bfloat16 takes longer here
    assert main([*COMMANDS[name], *TINY, *budget]) == 0
    path = Path("runs", name, "model.safetensors")
    with safe_open(path, "pt") as file:
        assert {"config", "training"} <= set(file.metadata())
    assert all(map(math.isfinite, losses_of(path.parent)))
    history = history_of(path.parent)
    assert [row["seen"] for row in history] == [4, 8, 12, 16, 20, 24], "one a step"
    # A generator's loss has another part from where it meets its judge, who learns alone before.
    distances = [row.get("generator_l1", row.get("loss")) for row in history]
    known = [distance for distance in distances if distance is not None]
    assert sum(known[-2:]) < sum(known[:2])


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.usefixtures("any_precision", "files")
def test_a_command_trains_in_the_precision_of_its_preset() -> None:
    assert main([*COMMANDS["cnn-mse"], *TINY]) == 0
    assert AcceleratorState().mixed_precision == "bf16"
    losses = losses_of(Path("runs", "cnn-mse"))
    assert len(losses) == 2, "one a step"
    assert all(map(math.isfinite, losses))


@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.usefixtures("any_precision", "files")
@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_command_trains_on_a_gpu(name: str) -> None:
    torch.cuda.reset_peak_memory_stats()
    assert main([*COMMANDS[name], *TINY]) == 0
    assert all(map(math.isfinite, losses_of(Path("runs", name))))
    assert torch.cuda.max_memory_allocated() > 0

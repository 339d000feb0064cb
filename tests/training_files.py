"""Files that trainings read, made up and small."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from colorize_core.downloads.checkpoints import save_network
from colorize_core.training import recipes


def write_photos(
    folder: Path, rng: np.random.Generator, kinds: tuple[str, str] = ("standing", "fallen")
) -> None:
    """24 pictures of sky over grass, blue above and green below; every third is the other way
    round, in a folder of another kind."""
    for number in range(24):
        picture = rng.integers(0, 40, (40, 48, 3)).astype(np.uint8)
        picture[:20] += np.array([90, 140, 215], np.uint8)
        picture[20:] += np.array([60, 130, 40], np.uint8)
        fallen = number % 3 == 2
        (folder / kinds[fallen]).mkdir(parents=True, exist_ok=True)
        turned = picture[::-1] if fallen else picture
        Image.fromarray(turned).save(folder / kinds[fallen] / f"{number:02}.png")


def write_zip(folder: Path) -> None:
    """The folder's pictures in a zip beside it."""
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for path in folder.rglob("*.png"):
            archive.write(path, path.relative_to(folder))


def write_people(path: Path, rng: np.random.Generator) -> None:
    """A zip of bright figures before dark walls, with their masks; of one figure hardly a foot."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(21):
            mask = np.zeros((192, 128), np.uint8)
            left = rng.integers(20, 70)
            mask[30 + number : 180, left : left + 40] = 255
            if number == 20:
                mask[:178] = 0
            photo = rng.integers(0, 40, (192, 128, 3)).astype(np.uint8) + mask[..., None] // 2
            for kind, picture in (("photo", photo), ("mask", mask)):
                file = io.BytesIO()
                Image.fromarray(picture).save(file, "PNG")
                archive.writestr(f"{kind}/{number:02}.png", file.getvalue())


def write_windows(path: Path) -> None:
    """Windows in which what is bright is skin, as the recipe keeps those that it has found."""
    bright = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.5
    mask = bright.repeat_interleave(16, 2).repeat_interleave(16, 3).to(torch.uint8) * 255
    pixels = (60 + mask // 2).repeat(1, 3, 1, 1)
    pixels[:, 2] -= 40
    windows = {"pixels": pixels, "mask": mask, "known": torch.full_like(mask, 255)}
    save_file({name: tensor.contiguous() for name, tensor in windows.items()}, path)


def write_teacher(path: Path) -> None:
    """Weights of se-unet that have learned nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_network(recipes.find("se-unet")().build_network(), path, {})

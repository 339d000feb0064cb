"""python -m benchmarks.damage_judges --photos ZIP-or-DIR... [--old DIR] : learn what is damage.

Damage is drawn on photographs (drawn_damage.py); forms that lie in it are damage, those that are on
the clean photographs, and elsewhere, are not. Small photographs are enlarged and get grain; of
those in `--old`, which are old ones of their own size, every second is taken. Writes
colorize_core/prepare/judges.json. The threshold is the lowest at which, on photographs that it was
not fitted to (each fourth in turn), the false forms have at most FALSE times the area of the found
ones; old ones do not count in that, as they have damage of their own.

The committed file is of `--limit 320 --times 4` and of the forms as they were before tips of larger
things were left out of the specks, and what lies beyond the ends out of the lines; prepare.py has
measured it on the forms as they are. Writing it anew gives another one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm.auto import tqdm

from benchmarks.drawn_damage import damage
from benchmarks.options import make_parser
from colorize_core.prepare import forms
from colorize_core.prepare.damage import measure_gray
from colorize_core.prepare.judge import FILE, Judge
from colorize_core.training.data import find_photos

Picture = NDArray[np.uint8]
SIDES = (256, 384, 512)  # pixels of the shorter side of an enlarged photograph
FALSE = {"thin": 0.01, "wide": 0.01, "specks": 0.01}
INSIDE, OUTSIDE = (
    0.6,
    0.2,
)  # shares of a form in drawn damage: what lies between is not learned from
UNITS, STEPS = 16, 600


def make_gray(photo: Picture) -> Picture:
    """(H, W, 3) as three equal channels."""
    gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    return np.repeat(gray[..., None], 3, 2)


def enlarge(photo: Picture, side: int, random: np.random.Generator) -> Picture:
    """A small photograph as a gray one of that shorter side, with grain."""
    gray = make_gray(photo)[..., 0]
    scale = side / min(gray.shape)
    large = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_LANCZOS4)
    grainy = large + random.normal(0, random.uniform(1, 4), large.shape)
    whole = np.round(np.clip(grainy, 0, 255)).astype(np.uint8)
    return np.repeat(whole[..., None], 3, 2)


def measure(photo: Picture, random: np.random.Generator) -> dict[str, list[tuple[Any, bool, int]]]:
    """Of each kind of form: measurements, whether it is damage, its area in pixels."""
    drawn = damage(photo, random)
    made: dict[str, list[tuple[Any, bool, int]]] = {name: [] for name in FALSE}
    for picture, mask in ((photo, None), (drawn.photo, drawn.mask)):
        gray = measure_gray(picture)
        wide = None if mask is None else cv2.dilate(mask.astype(np.float32), np.ones((5, 5)))
        for name in FALSE:
            factor = 1 if name == "specks" else forms.LINES[name].shrunk
            small = forms.shrink(gray, factor)
            lines = name != "specks"
            found = (
                forms.find_lines(small, forms.LINES[name]) if lines else forms.find_specks(small)
            )
            inside = None if wide is None else forms.shrink(wide, factor)
            for labels, numbers, measured in found:
                for number, row in zip(numbers, measured, strict=True):
                    here = labels == number
                    share = 0.0 if inside is None else float(inside[here].mean())
                    if share >= INSIDE or share <= OUTSIDE:
                        area = int(here.sum()) * factor**2
                        made[name].append((row, share >= INSIDE, area))
    return made


def fit(rows: NDArray[np.float64], truth: NDArray[np.bool_], seed: int) -> Judge:
    """A judge whose threshold is 0."""
    torch.manual_seed(seed)
    mean, spread = rows.mean(0), rows.std(0) + 1e-6
    inputs = torch.from_numpy(np.clip((rows - mean) / spread, -4, 4)).float()
    wanted = torch.from_numpy(truth).float()
    network = torch.nn.Sequential(
        torch.nn.Linear(rows.shape[1], UNITS), torch.nn.Tanh(), torch.nn.Linear(UNITS, 1)
    )
    optimizer = torch.optim.AdamW(network.parameters(), 0.01, weight_decay=0.03)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(inputs)[:, 0], wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    hidden, output = (
        torch.cat([layer.weight.T, layer.bias[None]]).detach().double().numpy()
        for layer in (network[0], network[2])
    )
    return Judge(mean, spread, hidden, output[:, 0], 0.0)


def choose(
    odds: NDArray[np.float64], truth: NDArray[np.bool_], areas: NDArray[np.float64], most: float
) -> float:
    """The lowest threshold with at most that much false area for the area found."""
    order = np.argsort(-odds)
    false = np.cumsum((areas * ~truth)[order])
    found = np.cumsum((areas * truth)[order])
    good = np.flatnonzero(false <= most * found)
    return float(odds[order][good[-1]]) - 1e-6 if len(good) else float(odds.max())


def main() -> None:
    parser = make_parser(__doc__, photos=True, limit=240)
    parser.add_argument("--old", type=Path, nargs="*", default=[], metavar="DIR")
    parser.add_argument("--times", type=int, default=4, help="that each old one is drawn on")
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    cv2.setNumThreads(1)
    members = list(find_photos(arguments.photos))
    chosen = [members[i] for i in random.permutation(len(members))[: arguments.limit]]
    found = find_photos(arguments.old) if arguments.old else []
    old = sorted(found, key=lambda each: each.name)[::2]
    groups: list[tuple[int, bool, dict[str, Any]]] = []
    for number, member in enumerate(tqdm([*chosen, *old * arguments.times])):
        photo = member.read()
        small = number < len(chosen)
        shown = enlarge(photo, int(random.choice(SIDES)), random) if small else make_gray(photo)
        if not small and number % 2:
            shown = np.ascontiguousarray(shown[:, ::-1])
        group = number if small else len(chosen) + (number - len(chosen)) % len(old)
        groups.append((group, small, measure(shown, random)))
    told = {}
    for name, most in FALSE.items():
        rows = [(group % 4, clean, *each) for group, clean, made in groups for each in made[name]]
        part = np.array([row[0] for row in rows])
        counted = np.array([row[1] for row in rows])
        inputs = np.array([row[2] for row in rows])
        truth = np.array([row[3] for row in rows])
        areas = np.array([row[4] for row in rows], float) * counted
        odds = np.zeros(len(rows))
        for each in range(4):
            judge = fit(inputs[part != each], truth[part != each], each)
            odds[part == each] = judge.weigh(inputs[part == each])
        threshold = choose(odds[counted], truth[counted], areas[counted], most)
        judge = fit(inputs, truth, 0)
        told[name] = judge.as_dict() | {"threshold": round(threshold, 4)}
        kept = odds > threshold
        print(
            f"{name}: {len(rows)} forms, {truth.mean():.3f} damage; of its area "
            f"{areas[kept & truth].sum() / areas[truth].sum():.3f} found, false "
            f"{areas[kept & ~truth].sum() / areas[truth].sum():.4f}, threshold {threshold:.2f}"
        )
    FILE.write_text(json.dumps(told, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""python -m docs.metrics : write the tables and the pictures of docs/metrics.md anew.

The finding comes from benchmarks/results/quality.csv and perceptual.csv, the rest is scored here on
the examples. tests/docs/test_metrics_page.py fails when the page is not what this would write.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.perceptual import blur, gray, hue
from colorize_core import load, metrics
from colorize_core.imaging import image
from colorize_core.imaging.captions import draw_captioned_grid
from colorize_core.imaging.color import combine_ab, rgb_to_lab
from colorize_core.metrics import Metric, protocol
from colorize_core.metrics.baselines import make_one_colour
from docs.tables import ROOT, Rows, between, heading, results, score, table_of

Picture = NDArray[np.uint8]
HERE = Path(__file__).parent
PHOTOS = ("portrait", "coffee", "rocket")
DRAWING = ("coltran", "diffusion")  # they are judged by one truth
SHOWN = ("psnr", "ssim", "ciede2000", "flip", "perceptual-offline", "colourfulness")
IN_UNITS = ("psnr", "ciede2000", "colourfulness", "colourfulness-difference")
OFFLINE = tuple(metric for metric in metrics.METRICS if not metric.download)


def truth_of(name: str) -> Picture:
    pixels: Picture = image.read(ROOT / "examples" / f"{name}-colour.jpg").pixels
    return protocol.crop_square(pixels)


def refresh(text: str) -> str:
    """The page's text with every generated part made anew."""
    for mark, made in (
        ("finding", finding()),
        ("where", where()),
        ("examples", examples()),
        ("tricks", tricks()),
        ("meanings", meanings()),
        ("ordering", ordering()),
        ("frechet", frechet()),
    ):
        text = between(text, f"<!-- {mark} -->\n", lambda _, made=made: made, f"<!-- /{mark} -->")
    return text


# --- what the evaluation found ------------------------------------------------------------------


def find_losers() -> dict[str, dict[str, str]]:
    """The models whose CIEDE2000 is above gray's, by name, and their rows."""
    rows = {row["model"]: row for row in results("quality")}
    ciede2000 = metrics.find("ciede2000")
    return {name: row for name, row in rows.items() if _loses(ciede2000, row, rows["gray"])}


def finding() -> str:
    named = {"gray", "autochrome", "cnn-mse", *find_losers()}
    rows: Rows = [row for row in results("quality") if row["model"] in named]
    table = [["", *map(heading, SHOWN), "better than gray by CIEDE2000"]]
    for row in rows:
        share = row["ciede2000_wins"]
        better = f"{float(share):.0%} of the photographs" if share else ""
        table.append([row["model"], *(score(row, name) for name in SHOWN), better])
    return table_of(table)


def where() -> str:
    """By which metrics each model loses to gray, in the mean over the photographs."""
    plain = next(row for row in results("quality") if row["model"] == "gray")
    lines = []
    for name, row in find_losers().items():
        judged = [
            each
            for each in OFFLINE
            if each.needs_truth and each.better and not each.detail and row.get(each.name)
        ]
        lost = [each.title for each in judged if _loses(each, row, plain)]
        said = ", ".join(lost) or "none"
        lines.append(f"- `{name}` loses to gray by {len(lost)} of {len(judged)} metrics: {said}.\n")
    return "".join(lines)


def _loses(metric: Metric, row: dict[str, str], gray: dict[str, str]) -> bool:
    own, other = (float(each[metric.name]) for each in (row, gray))
    if metric.better == "nearer 0":
        return abs(own) > abs(other)
    return own > other if metric.better == "lower" else own < other


# --- the examples -------------------------------------------------------------------------------


def colourings(truth: Picture) -> dict[str, Picture]:
    """What the table and the picture show of one photo."""
    photo = protocol.to_gray(truth)
    made = {"truth": truth, "gray": photo, "mean": make_one_colour(truth)}
    for name in ("autochrome", *DRAWING):
        made[name] = protocol.recombine(load(name, "cpu").colorize(photo), truth)
    return made


def distortions(truth: Picture) -> dict[str, Picture]:
    """The true colours, spoiled in ways that metrics take differently."""
    lab = rgb_to_lab(truth.astype(np.float32) / 255)
    random = np.random.default_rng(0)
    patches = random.normal(0, 25, (8, 8, 2)).repeat(32, 0).repeat(32, 1).astype(np.float32)
    return {
        "truth": truth,
        "gray": protocol.to_gray(truth),
        "half the chroma": gray(truth, 0.5),
        "other hues: turned 60°": hue(truth, 60),
        "blotches": combine_ab(lab[..., :1], lab[..., 1:] + patches),
        "blotches on gray": combine_ab(lab[..., :1], patches),
        "ab blurred by 12 pixels": protocol.recombine(blur(truth, 12), truth),
        "shifted by 2 pixels": np.roll(truth, 2, 1),
    }


@cache
def score_distortions() -> dict[str, dict[str, float]]:
    return scored(distortions(truth_of(PHOTOS[0])))


def scored(pictures: dict[str, Picture]) -> dict[str, dict[str, float]]:
    """Every metric that needs no download, of every picture against the one called truth."""
    return {
        name: {each.name: metrics.score(each.name, picture, pictures["truth"]) for each in OFFLINE}
        for name, picture in pictures.items()
    }


def examples() -> str:
    parts = []
    for photo in PHOTOS:
        scores = scored(colourings(truth_of(photo)))
        parts.append(_table(scores, SHOWN, photo))
    return "\n".join(parts)


def tricks() -> str:
    names = [each.name for each in OFFLINE if each.needs_truth or each.name == "colourfulness"]
    scores = score_distortions()
    rows = [["", *(name for name in scores if name != "truth")]]
    for name in names:
        cells = [_shown(name, own[name]) for own in scores.values()][1:]
        rows.append([heading(name), *cells])
    return table_of(rows)


def _table(scores: dict[str, dict[str, float]], names: tuple[str, ...], what: str) -> str:
    rows = [[what, *map(heading, names)]]
    for picture, own in scores.items():
        shown = ("colourfulness",) if picture == "truth" else names
        rows.append([picture, *(_shown(n, own[n]) if n in shown else "" for n in names)])
    return table_of(rows)


def _shown(name: str, value: float) -> str:
    """To as many digits as other machines agree on."""
    digits = {"mse": 4, "mae": 3, "median-ae": 3} | dict.fromkeys(IN_UNITS, 1)
    kind = name[:-2] if metrics.find(name).detail else name
    count = digits.get(kind, 2)
    return f"{round(value, count) + 0.0:.{count}f}"  # no minus before a zero


def meanings() -> str:
    rows = [["name", "what it tells", "what is better"]]
    rows += [[f"`{m.name}`", m.meaning, m.better or "neither"] for m in metrics.METRICS]
    return table_of(rows)


def ordering() -> str:
    rows = [["distortion", "strengths", "photographs in which every step counts as worse"]]
    for row in results("perceptual"):
        if row["what"] != "named":
            share = f"{float(row['share']):.1%}"
            rows.append([row["what"], row["details"], f"{share} of {row['n']}"])
    return table_of(rows)


def frechet() -> str:
    """How the offline distance of many pictures orders distortions."""
    if not results("frechet"):
        return ""
    rows = [["distortion of all photographs", "strengths", "distance", "rises", "photographs"]]
    for row in results("frechet"):
        rises = {"True": "yes", "False": "no"}[row["rises"]]
        rows.append([row["distortion"], row["strengths"], row["distances"], rises, row["n"]])
    return table_of(rows)


def draw() -> None:
    """The pictures of the page."""
    rows = [colourings(truth_of(photo)) for photo in PHOTOS]
    _draw(HERE / "metrics-examples.jpg", rows, 6)
    _draw(HERE / "metrics-tricks.jpg", [distortions(truth_of(PHOTOS[0]))], 4)


def _draw(path: Path, rows: list[dict[str, Picture]], columns: int) -> None:
    pictures = [picture for row in rows for picture in row.values()]
    captions = [
        [name, _caption(picture, row["truth"])] for row in rows for name, picture in row.items()
    ]
    sheet = draw_captioned_grid(pictures, captions, (protocol.SIDE, protocol.SIDE), columns)
    Image.fromarray(sheet).save(path, quality=85)


def _caption(picture: Picture, truth: Picture) -> str:
    if picture is truth:
        return "the original"
    names = ("psnr", "ciede2000")
    values = [_shown(name, metrics.score(name, picture, truth)) for name in names]
    return f"PSNR {values[0]}, CIEDE2000 {values[1]}"


if __name__ == "__main__":
    page = HERE / "metrics.md"
    page.write_text(refresh(page.read_text(encoding="utf-8")), encoding="utf-8")
    draw()

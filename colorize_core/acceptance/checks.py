"""What is done with one subject. Each check returns what it found, and raises what the real path
raises: WeightsError, TooLittleMemoryError and the like."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from colorize_core.acceptance.subjects import PIPELINES, Subject
from colorize_core.bundled import EXAMPLES, ROOT
from colorize_core.downloads import checkpoints
from colorize_core.errors import OptionError
from colorize_core.imaging import image
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.metrics import METRICS, protocol, score
from colorize_core.metrics.sets import SET_METRICS
from colorize_core.models.registry import load

EARLIER = ROOT / "benchmarks" / "results" / "acceptance.csv"  # what --merge has written
NEAR = 1.0  # Lab units that the mean colour of a picture may be off: about what is just noticeable
GRAY = 2.0  # levels between the channels of a picture, on average, up to which it is gray
DRAWN = "portrait-gray.jpg"  # what pipelines draw


class Found(NamedTuple):
    """What a check found, for people; `values` are for the next run to compare with."""

    text: str
    passed: bool = True
    hashes: str = ""
    values: str = ""


def fetch_files(subject: Subject, device: str) -> Found:
    """Fetch what is missing and compare it with the catalogue's hashes. A pipeline that this
    machine could not hold is not downloaded."""
    if subject.group == PIPELINES:
        from colorize_core.prompted import pipeline

        pipeline.check(subject.downloads, device, _settings(subject).side ** 2)
    for each in subject.downloads:
        for file in each.files:
            checkpoints.find(file)
    hashes = subject.read_hashes()
    pinned = sum(bool(file.sha256) for each in subject.downloads for file in each.files)
    text = f"{len(hashes)} file{'s' * (len(hashes) != 1)}, {pinned} of a known sha256"
    if pinned < len(hashes):
        text += ", the others as the server says that they are"
    return Found(text, hashes="; ".join(f"{name} {digest}" for name, digest in hashes.items()))


def compare_port(subject: Subject) -> Found:
    """Whether the network here computes what its original does."""
    from colorize_core.acceptance.references import REFERENCES

    passed, said = True, []
    for reference in REFERENCES[subject.name]:
        off = reference.measure_deviation()
        passed &= off < reference.tolerance
        said.append(f"{off:.1e} of the largest value off {reference.original}")
    return Found(f"weights by a formula: {'; '.join(said)}", passed)


def colour_examples(subject: Subject, weights: str, device: str, folder: Path) -> Found:
    """Load the model as everybody does and colour the gray examples; the mean colours of the
    pictures, compared with those of an earlier report where it had the same weights. Those of
    models that draw are not compared: other machines draw others."""
    model = load(subject.name, device)
    earlier = {} if model.card.sampled else read_earlier(subject.name, weights)
    values, gray, off = {}, [], 0.0
    for path in sorted(EXAMPLES.glob("*-gray.jpg")):
        photo = image.read(path)
        picture: Any = model.colorize(photo.pixels)
        image.write(folder / f"{subject.name}-{path.stem}.jpg", photo.with_pixels(picture))
        ab = rgb_to_lab(picture.astype(np.float32) / 255)[..., 1:].mean((0, 1))
        values[path.name] = tuple(float(each) for each in ab)
        if np.ptp(picture.astype(np.int16), axis=2).mean() < GRAY:
            gray.append(path.name)
        if path.name in earlier:
            off = max(off, float(np.abs(ab - earlier[path.name]).max()))
    text = f"loads and colours {len(values)} example{'s' * (len(values) != 1)}, "
    text += f"{', '.join(gray)} gray, " if gray else ""
    if earlier:
        text += f"mean colours up to {off:.2f} Lab units off those of an earlier report"
    else:
        text += "no reference value"
    passed = off <= NEAR and len(gray) < len(values)
    return Found(text, passed, values=format_values(values))


def load_trunk(subject: Subject, device: str) -> Found:
    """Load it below each metric that stands on it; of an example and its gray copy what they say.
    There are no reference values but 0, of equal pictures."""
    truth = protocol.crop_square(_read("portrait-colour.jpg"))
    gray = protocol.to_gray(truth)
    passed, said = True, []
    for metric in METRICS:
        if metric.download == subject.name:
            same, other = (score(metric.name, each, truth, device=device) for each in (truth, gray))
            passed &= abs(same) < 1e-6 < other
            said.append(f"{metric.name} {same:.4f} of equal pictures, {other:.4f} of gray")
    for name in dict.fromkeys(m.extractor for m in SET_METRICS if m.download == subject.name):
        from colorize_core.metrics.features import extract

        features = extract([truth, gray], name, device)
        passed &= bool(np.isfinite(features).all() and np.abs(np.diff(features, axis=0)).max() > 0)
        said.append(f"{name} gives {features.shape[1]} features")
    return Found(f"{'; '.join(said)}; no reference value", passed)


def draw(subject: Subject, device: str, folder: Path) -> Found:
    """Draw one picture of an example."""
    from colorize_core.prompted import generation, pipeline, sources
    from colorize_core.prompted.conditions import make_condition

    settings = _settings(subject)
    photo = image.read(EXAMPLES / DRAWN)
    painter = pipeline.load(sources.find_folders(settings), device, settings.side**2)
    shown = make_condition(photo.pixels, settings)
    *_, made = generation.draw(painter, photo.pixels, settings, shown)
    if not isinstance(made, generation.Variant) or made.drawn is None:
        return Found(f"no picture: {getattr(made, 'note', '')}", False)
    image.write(folder / f"{subject.name}.jpg", replace(photo, pixels=made.drawn))
    height, width = made.drawn.shape[:2]
    text = f"drew {width} x {height} in {settings.steps} steps, seed {made.seed}"
    return Found(f"{text}; no reference value", bool(made.drawn.std() > 1))


def _settings(subject: Subject) -> Any:
    from colorize_core.prompted.models import MODELS
    from colorize_core.prompted.settings import PromptSettings

    return PromptSettings(**MODELS[subject.name].defaults, keep=False)


def _read(name: str) -> Any:
    return image.read(EXAMPLES / name).pixels


def read_earlier(model: str, weights: str) -> dict[str, tuple[float, ...]]:
    """Example -> the mean a and b that an accepted report had with these weights."""
    if not EARLIER.is_file():
        return {}
    with EARLIER.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == model]
    return {
        row["example"]: (float(row["a"]), float(row["b"]))
        for row in rows
        if row["weights"] == weights
    }


def format_values(values: Mapping[str, tuple[float, ...]]) -> str:
    return "; ".join(f"{name} {a:.3f} {b:.3f}" for name, (a, b) in values.items())


def parse_values(text: str) -> dict[str, tuple[str, str]]:
    """What format_values() was given, as it is written. Raises OptionError."""
    try:
        parts = (part.split(" ") for part in text.split("; ") if part)
        return {name: (a, b) for name, a, b in parts}
    except ValueError as error:
        raise OptionError(f"The report has values that it did not write: {text!r}.") from error

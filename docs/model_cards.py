"""python -m docs.model_cards : write weights/NAME/README.md of every model anew.

Everything comes from the model's card, from what its weight file says of its training, and from
benchmarks/results/*.csv. tests/docs/test_model_cards.py fails when a card is not what this would
write.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import safe_open

from colorize_core import ModelCard, cards, metrics
from colorize_core.downloads import checkpoints
from colorize_core.evaluate.summary import describe_remedy
from colorize_core.metrics.baselines import BASELINES
from colorize_core.models import perceptual
from colorize_core.models.registry import tools
from colorize_core.sizes import format_size
from docs.tables import (
    LPIPS,
    NOT_MEASURED,
    Rows,
    goal,
    heading,
    protocol,
    results,
    score,
    table_of,
    title,
)

EVERY = (*cards(), *tools())  # whatever has weights in this repository


def text(card: ModelCard) -> str:
    """The model card as Markdown, with the Hub's front matter."""
    task = TASKS.get(card.name, "image-to-image")
    parts = [
        f"---\nlicense: {card.licence.lower()}\npipeline_tag: {task}\n"
        "tags: [colorization]\nlibrary_name: colorize_core\n---",
        f"# {card.title}",
        card.summary,
        _facts(card),
        "## Training",
        f"{card.trained_on}. The command is `python -m colorize_core.training {card.name}`; "
        f"{_seen(card)}.",
        *_looks(card),
        *_width(card),
        *SCORES.get(card.name, _scores)(card),
        *_frontier(card),
        *_faces(card),
        *_old_photographs(card),
        *_confidence(card),
        *_hints(card),
        "## Limits",
        card.limits,
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _facts(card: ModelCard) -> str:
    sees = "RGB" if card is perceptual.CARD else "L"
    rows = [
        ["parameters", f"{card.parameters:,}"],
        ["input", f"{sees} at about {card.network_side} x {card.network_side} pixels of area"],
        *([] if card.name in TASKS else [["colour hints", "yes" if card.takes_hints else "no"]]),
        *(
            [f"`{each.name}`", f"{each.info} Values: {each.allowed}; {each.default} unless set."]
            for each in card.controls
        ),
        ["paper", card.paper or "none"],
        ["licence", card.licence],
    ]
    return table_of([["", ""], *rows])


def _metadata(card: ModelCard) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the weight file itself says: the network's configuration, and of its training."""
    with safe_open(checkpoints.find(card.weights[0]), "np") as file:
        metadata = file.metadata()
    return json.loads(metadata["config"]), json.loads(metadata["training"])


def _seen(card: ModelCard) -> str:
    config, training = _metadata(card)
    if "kinds" in config:
        config["kinds"] = len(config["kinds"])
    if len(trunk := config.get("trunk", "")) == 64:
        config["trunk"] = f"with the sha256 {trunk[:12]}"
    elif trunk.startswith("efficientnet"):  # of which these are its own
        del config["depths"], config["width"]
    settings = ", ".join(f"{key} {value}" for key, value in config.items())
    crops = training["seen"] + training.get("before", 0)
    mixed = (
        f"; they are {training['mix']:.0%} what all of these made of them and for the rest what "
        f"{training['before']:,} had"
        if "mix" in training
        else ""
    )
    return f"these weights have seen {crops:,} random crops{mixed}. Configuration: {settings}"


def _width(card: ModelCard) -> list[str]:
    """Why these are narrower than the original, where that was measured."""
    rows = {row["width"]: row for row in results("full_width") if row["model"] == card.name}
    if not rows:
        return []
    original, ours = rows["original"], rows["bundled"]
    times = float(original["seconds_a_crop"]) / float(ours["seconds_a_crop"])
    return [
        f"The original's width has {int(original['parameters']):,} parameters, a file of "
        f"{format_size(int(original['bytes']))} in float16, and takes {times:.1f} times as long "
        f"for a step of training: 300,000 crops of {original['side']} x {original['side']} pixels "
        f"are {float(original['hours']):.0f} hours of {original['threads']} cores that have other "
        "work, too (`benchmarks/full_width.py`). A file in this repository is to stay under 16 "
        "MiB, and such a machine is what these weights were trained on."
    ]


def _looks(card: ModelCard) -> list[str]:
    """How the scores went on the way, where the weight file says so."""
    looks = _metadata(card)[1].get("looks", [])
    if len(looks) < 2:
        return []
    metrics = [name for name in looks[0] if name != "seen"]
    rows = [[f"{look['seen']:,}", *(f"{look[name]:.2f}" for name in metrics)] for look in looks]
    return [
        "On the way, on a few validation photographs and without the decoding of the app:",
        table_of([["crops seen", *metrics], *rows]),
    ]


def _what_it_tells(_: ModelCard) -> list[str]:
    """Of the perceptual trunk: what it names, and whether its distance orders distortions."""
    rows = results("perceptual")
    if not rows:
        return []
    table = [["what", "strengths", "share of the photographs"]]
    for row in rows:
        names = row["what"] == "named"
        table.append(
            [
                f"named rightly, of {row['details']}" if names else f"{row['what']} ordered",
                "" if names else row["details"],
                f"{row['share']} ({row['share_low']} to {row['share_high']})",
            ]
        )
    return [
        "## Scores",
        f"On {rows[-1]['n']} photographs that it was not trained on: how many it names rightly, "
        "and in how many its distance to the original rises with every strength of a distortion "
        "(share of the chroma taken away, degrees of hue, pixels of blur, levels of noise, 100 "
        "less the JPEG quality), with 95 % bootstrap intervals.",
        table_of(table),
    ]


def _what_it_finds(_: ModelCard) -> list[str]:
    """Of the network that finds people: how its masks overlap with true ones."""
    rows = results("people")
    if not rows:
        return []
    table = [["photographs", "how many", "what", "mean"]]
    table += [
        [row["photos"], row["n"], row["what"], f"{row['mean']} ({row['low']} to {row['high']})"]
        for row in rows
    ]
    return [
        "## Scores",
        "Through the app's path, with 95 % bootstrap intervals. IoU is the intersection of a mask "
        "with the true one over their union, GrabCut's first guess the mask that the app begins "
        f"with. It took {rows[0]['seconds']} s a photograph (median, {rows[0]['machine']}).",
        table_of(table),
    ]


def _scores(card: ModelCard) -> list[str]:
    """Every metric beside gray and the mean colour, if that was measured."""
    rows = {row["model"]: row for row in results("quality")}
    if card.name not in rows:
        return []
    own, shown = rows[card.name], [rows[name] for name in (*BASELINES, card.name)]
    names = [metric.name for metric in metrics.METRICS if own.get(metric.name)]
    table = [["", *BASELINES, card.name, "better than gray"]]
    for name in names:
        share = own[f"{name}_wins"]
        better = f"{float(share):.0%}" if share else ""
        table.append([heading(name), *(score(row, name) for row in shown), better])
    if LPIPS not in names:
        table.append(
            [heading(LPIPS), *[f"{NOT_MEASURED}: `autochrome verify`, see below"] * len(shown), ""]
        )
    missing = [m.name for m in metrics.METRICS if not own.get(m.name)]
    parts = [
        "## Scores",
        table_of(table),
        f"Scored {protocol(own)}; *better than gray* is the share of the photographs.{goal(shown)}"
        + (
            f" It took {own['seconds']} s a photograph (median, {own['machine']})."
            if own["seconds"]
            else ""
        ),
        *([_describe_missing(missing)] if missing else []),
    ]
    return parts + (_draws(card) if card.sampled else [])


def _describe_missing(names: list[str]) -> str:
    return (
        f"Not measured: {', '.join(map(title, names))}. In a clone of the repository, this fills "
        f"them, where DIR has the photographs: `{describe_remedy(names)}`."
    )


def _draws(card: ModelCard) -> list[str]:
    said = "One draw was scored: the photograph's own colours are one of many that fit it."
    for row in results("draws"):
        if row["model"] == card.name:
            said += (
                f" Two draws from different seeds are {row['ciede2000']} ({row['low']} to "
                f"{row['high']}) CIEDE2000 apart, on {row['n']} photographs."
            )
    return [said]


def _hints(card: ModelCard) -> list[str]:
    """How far one colour hint moves the colour, if that was measured."""
    rows: Rows = [row for row in results("hints") if row["model"] == card.name]
    if not rows:
        return []
    row = rows[0]
    return [
        f"One hint of a foreign colour in each of {row['n']} photographs moves the colour this "
        "share of the way to the one asked for, as far as sRGB has that at the photograph's "
        "lightness (mean and 95 % bootstrap interval; *painted* is what the hinted colour "
        "everywhere comes to at the hint where all of the way counts, sRGB or not):",
        table_of(
            [["where", "share"]]
            + [
                [
                    name.replace("_", " "),
                    f"{row[name]} ({row[f'{name}_low']} to {row[f'{name}_high']})",
                ]
                for name in row
                if f"{name}_low" in row
            ]
        ),
    ]


def _frontier(card: ModelCard) -> list[str]:
    """What colourfulness costs in accuracy, if that was measured with these weights."""
    rows = [row for row in results("frontier") if row["weights"] == card.digest]
    if not rows:
        return []
    gray = next(row for row in results("frontier") if row["model"] == "gray")
    table = [["vividness", "PSNR", "CIEDE2000", "colourfulness"]]
    table += [
        [
            f"{row['vividness']} {row['what']}".strip() or "gray",
            *(f"{row[name]} ({row[f'{name}_low']} to {row[f'{name}_high']})" for name in FRONTIER),
        ]
        for row in (gray, *rows)
    ]
    return [
        f"More colour costs accuracy. On {gray['n']} photographs by `{gray['protocol']}`, whose "
        f"colourfulness is {gray['truth_colourfulness']}, with 95 % bootstrap intervals:",
        table_of(table),
    ]


def _faces(card: ModelCard) -> list[str]:
    """How faces come out, if that was measured with these weights."""
    rows = [row for row in results("faces") if row["weights"] == card.digest]
    if not rows:
        return []
    table = [["photographs", "what", "n", "mean"]]
    for row in rows:
        interval = f" ({row['low']} to {row['high']})" if row["low"] else ""
        table.append([row["photos"], row["what"], row["n"], row["mean"] + interval])
    return ["Faces, found in gray, with 95 % bootstrap intervals:", table_of(table)]


def _old_photographs(card: ModelCard) -> list[str]:
    rows = [row for row in results("historical") if row["weights"] == card.digest]
    if not rows:
        return []
    table = [["vividness", "median", "least", "greatest"]]
    table += [[row[name] for name in table[0]] for row in rows]
    return [
        f"Colourfulness of {rows[0]['n']} photographs from glass plates of about 1900, of which "
        "there is no ground truth:",
        table_of(table),
    ]


def _confidence(card: ModelCard) -> list[str]:
    rows = [row for row in results("confidence") if row["weights"] == card.digest]
    if not rows:
        return []
    told = {row["over"]: row for row in rows if row["what"] == "r"}
    correlations = " and ".join(
        f"{row['value']} ({row['low']} to {row['high']}) over {over}" for over, row in told.items()
    )
    return [
        "How far the colours that it holds likely are spread goes with its error in ab: the "
        f"correlation is {correlations}, n {rows[0]['n']}."
    ]


FRONTIER = ("psnr", "ciede2000", "colourfulness")
TASKS = {
    "people": "image-segmentation",
    "perceptual": "image-feature-extraction",
    "skin": "image-segmentation",
}
SCORES = {"people": _what_it_finds, "perceptual": _what_it_tells, "skin": lambda _: []}


def path_of(card: ModelCard) -> Path:
    return checkpoints.BUNDLED / card.name / "README.md"


if __name__ == "__main__":
    for each in EVERY:
        path_of(each).write_text(text(each), encoding="utf-8")

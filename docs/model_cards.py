"""python -m docs.model_cards : write weights/NAME/README.md of every model anew.

Everything comes from the model's card, from what its weight file says of its training, and from
benchmarks/results/*.csv. tests/test_model_cards.py fails when a card is not what this would write.
"""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import safe_open

from colorize_core import ModelCard, cards, weights
from docs.readme import Rows, protocol, results, score, score_table, scores_of, table_of


def text(card: ModelCard) -> str:
    """The model card as Markdown, with the Hub's front matter."""
    parts = [
        f"---\nlicense: {card.licence.lower()}\npipeline_tag: image-to-image\n"
        "tags: [colorization]\nlibrary_name: colorize_core\n---",
        f"# {card.title}",
        card.summary,
        _facts(card),
        "## Training",
        f"{card.trained_on}. The command is `python -m colorize_core.training {card.name}`; "
        f"{_seen(card)}.",
        *_scores(card),
        *_hints(card),
        "## Limits",
        card.limits,
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _facts(card: ModelCard) -> str:
    rows = [
        ["parameters", f"{card.parameters:,}"],
        ["input", f"L at about {card.network_side} x {card.network_side} pixels of area"],
        ["colour hints", "yes" if card.takes_hints else "no"],
        *(
            [f"`{each.name}`", f"{each.info} Values: {each.allowed}; {each.default} unless set."]
            for each in card.controls
        ),
        ["paper", card.paper or "none"],
        ["licence", card.licence],
    ]
    return table_of([["", ""], *rows])


def _seen(card: ModelCard) -> str:
    """What the weight file itself says of its training."""
    with safe_open(weights.find(card.weights[0]), "np") as file:
        metadata = file.metadata()
    config = ", ".join(f"{key} {value}" for key, value in json.loads(metadata["config"]).items())
    seen = json.loads(metadata["training"])["seen"]
    return f"these weights have seen {seen:,} random crops. Configuration: {config}"


def _scores(card: ModelCard) -> list[str]:
    """Beside gray and the truth, if that was measured."""
    rows = scores_of(card)
    if not rows:
        return []
    parts = ["## Scores", score_table(rows)]
    if card.sampled:
        own = next(row for row in rows if row["model"] == card.name)
        parts += [
            f"Scored {protocol(own)}. One draw of each photograph is scored, and the colours of "
            "the photograph itself are only one of many that fit it. Two draws from different "
            f"seeds are {score(own, 'seed_ciede2000')} CIEDE2000 apart."
        ]
    return parts


def _hints(card: ModelCard) -> list[str]:
    """How far one colour hint moves the colour, if that was measured."""
    rows: Rows = [row for row in results("hints") if row["model"] == card.name]
    if not rows:
        return []
    row = rows[0]
    return [
        f"One hint of a foreign colour in each of {row['n']} photographs moves the colour this "
        "share of the way to the one asked for (mean and 95 % bootstrap interval):",
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


def path_of(card: ModelCard) -> Path:
    return weights.BUNDLED / card.name / "README.md"


if __name__ == "__main__":
    for each in cards():
        path_of(each).write_text(text(each), encoding="utf-8")

"""python -m docs.readme : write the README's tables and the outputs of its examples anew.

Tables come from the models' cards and benchmarks/results/*.csv, outputs from running what stands
before them. tests/docs/test_readme.py fails when the README is not what this would write.
"""

from __future__ import annotations

import contextlib
import csv
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from colorize_core import ModelCard, cards, metrics

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"

BY = "ciede2000"  # what decides whether a photo came out better than gray
SHOWN = ("psnr", "ssim", BY, "flip", "perceptual-offline", "colourfulness")

Rows = list[dict[str, str]]


def refresh(text: str) -> str:
    """The README's text with every generated part made anew."""
    with _workshop():
        text = between(text, r"<!-- models -->\n", models, r"<!-- /models -->")
        text = between(text, r"<!-- speed -->\n", speed, r"<!-- /speed -->")
        text = between(text, r"<!-- systems -->\n", systems, r"<!-- /systems -->")
        text = between(text, r"<!-- selective -->\n", selective, r"<!-- /selective -->")
        text = between(text, r"```pycon\n", session, r"```")
        return between(text, r"```console\n", console, r"```")


def between(text: str, start: str, make: Callable[[str], str], end: str) -> str:
    """What stands between the marks is handed to `make` and replaced by what it returns."""
    pattern = re.compile(f"({start})(.*?)({end})", re.DOTALL)
    made, count = pattern.subn(lambda m: m[1] + make(m[2]) + m[3], text)
    if not count:
        raise ValueError(f"README.md has no {start.strip()} ... {end}")
    return made


@contextlib.contextmanager
def _workshop() -> Iterator[None]:
    """A folder to work in that holds the examples and is thrown away."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "examples", Path(folder, "examples"))
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(here)


# --- tables -------------------------------------------------------------------------------------


def results(name: str) -> Rows:
    """The rows of benchmarks/results/NAME.csv; none where it was not measured."""
    path = RESULTS / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table_of(rows: list[list[str]]) -> str:
    """Markdown; the first row is the heading."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n"


DOWNLOADS = (
    "Published models of others, run by networks of this package. Their weights are downloaded the "
    "first time that one is loaded; they were not scored here.\n\n"
)


def models(_: str) -> str:
    """What each card says, then how each model scores beside gray and the mean colour."""
    heads = ["model", "what it is", "parameters", "weights", "licence", "known limits"]
    every = cards(downloads=True)
    bundled = [_facts(card) for card in every if not card.download]
    downloads = [_facts(card) for card in every if card.download]
    rows = results("quality")
    parts = [table_of([heads, *bundled]), DOWNLOADS + table_of([heads, *downloads])]
    return "\n".join([*parts, *([_scores(rows)] if rows else [])])


def _scores(rows: Rows) -> str:
    table = [["", *map(heading, SHOWN), "better than gray"]]
    table += [[r["model"], *(score(r, name) for name in SHOWN), wins(r)] for r in rows]
    return (
        f"Scores {protocol(rows[0])}. *Gray* adds no colour at all, *mean* one colour everywhere. "
        f"*Better than gray*: the share of the photographs with a better {title(BY)}.{goal(rows)} "
        "One draw is scored of models that draw their colours. [docs/metrics.md](docs/metrics.md) "
        f"tells what each measure misses.\n\n{table_of(table)}"
    )


def _facts(card: ModelCard) -> list[str]:
    size = sum(file.bytes for file in card.weights) / 2**20
    page = card.source if card.download else f"weights/{card.name}/README.md"
    return [
        f"[`{card.name}`]({page})",
        card.summary,
        f"{card.parameters / 1e6:.1f} M",
        f"{size:.1f} MiB",
        card.licence,
        _first_sentence(card.limits),  # all of them stand in the model's own card
    ]


def _first_sentence(text: str) -> str:
    first, more, _ = text.partition(". ")
    return first + more.strip()


def protocol(row: dict[str, str]) -> str:
    """How a row was measured."""
    return (
        f"by `{row['protocol']}` on {int(row['n']):,} photographs that no model was trained on: "
        "mean and 95 % bootstrap interval"
    )


def title(metric: str) -> str:
    return metrics.find(metric).title


def heading(metric: str) -> str:
    """The title, and what is better."""
    arrow = {"higher": " ↑", "lower": " ↓", "nearer 0": " →0", None: ""}
    return title(metric) + arrow[metrics.find(metric).better]


def score(row: dict[str, str], metric: str) -> str:
    """The mean of a metric and its interval; nothing where it was not measured."""
    mean, low, high = (row[f"{metric}{end}"] for end in ("", "_low", "_high"))
    return f"{mean} ({low} to {high})" if mean and float(mean) else mean


def wins(row: dict[str, str]) -> str:
    share = row[f"{BY}_wins"]
    return f"{float(share):.0%}" if share else ""


def goal(rows: Rows) -> str:
    """How colourful the truth is, which gray is short of by all."""
    difference = rows[0].get("colourfulness-difference")
    if rows[0]["model"] != "gray" or not difference:
        return ""
    return f" The originals' colourfulness is {-float(difference):.1f}."


def speed(_: str) -> str:
    rows = [row for name in ("speed", "ddcolor", "zhang") for row in results(name)]
    if not rows:
        return ""
    table = [["what", "here", "compared with", "there", "ratio (least to most)"]]
    table += [
        [
            row["what"],
            row["ours"],
            row["against"],
            row["theirs"],
            f"{row['ratio']} ({row['ratio_low']} to {row['ratio_high']})",
        ]
        for row in rows
    ]
    text = f"Both sides timed in one run on {rows[0]['machine']}:\n\n{table_of(table)}"
    errors = [
        float(row["relative_error"])
        for row in rows
        if row.get("relative_error") and "bfloat16" in row["what"]
    ]
    if not errors:
        return text
    return (
        f"{text}\nOn processors with instructions for bfloat16 (AVX-512 BF16, AMX) the published "
        "networks of others compute in it: the colours are off from the original's by at most "
        f"{100 * max(errors):.1f} % of the strongest one then, not by the rounding of float32.\n"
    )


def systems(_: str) -> str:
    rows = results("systems")
    if not rows:
        return ""
    table = [["what", "median or mean", "goal", "of", "least to most, or how"]]
    table += [
        [row["what"], f"{row['value']} {row['unit']}", row["bar"], row["n"], row["details"]]
        for row in rows
    ]
    return f"The models, timed on {rows[0]['machine']}:\n\n{table_of(table)}"


def selective(_: str) -> str:
    """How good and how fast the masks are that need no weights: the means, and the times."""
    rows = {row["what"]: row for row in results("selective")}
    if not rows:
        return ""
    table = [
        ["overlap with masks drawn by hand (IoU)", "nothing given", "a box", "and two strokes"]
    ]
    for what, title in (("mean", "GrabCut on lightness"), ("all of it, mean", "all of it")):
        table.append([title, *(rows[what][kind] for kind in ("guess", "box", "strokes"))])
    photos = sum(bool(row["guess"]) for row in rows.values()) - 2
    seconds = [row["seconds"] for what, row in rows.items() if "1 megapixel" in what]
    large = rows["24 megapixels, refined"]
    return (
        f"{table_of(table)}\nMeans of {photos} free photographs in gray, on which the settings "
        f"were chosen, too. GrabCut takes {min(seconds)} to {max(seconds)} s for "
        f"1 megapixel, refining a mask to 24 megapixels {large['seconds']} s and "
        f"{large['peak_mib']} MiB, 92 of them the mask ({large['machine']}).\n" + _people()
    )


def _people() -> str:
    """How well people are found without a download."""
    rows = results("people")
    if not rows:
        return ""
    known = [row for row in rows if row["what"].startswith("IoU")]
    told = "; ".join(
        f"{row['what']} on {row['n']} photographs {row['photos']}: {row['mean']} ({row['low']} to "
        f"{row['high']})"
        for row in known
    )
    return f"\nPeople, by [their network](weights/people/README.md): {told}.\n"


# --- examples -----------------------------------------------------------------------------------


def session(block: str) -> str:
    """An interactive session with the outputs that Python prints now."""
    names: dict[str, object] = {}
    lines = []
    for example in doctest.DocTestParser().get_examples(block):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(example.source, "README.md", "single"), names)
        first, *more = example.source.splitlines(keepends=True)
        lines += [f">>> {first}", *(f"... {line}" for line in more), printed.getvalue()]
    return "".join(lines)


def console(block: str) -> str:
    """Commands after "$ ", each with what it prints now."""
    lines = []
    for command in re.findall(r"^\$ (python .*)$", block, re.MULTILINE):
        done = subprocess.run(
            [sys.executable, *shlex.split(command)[1:]],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        lines += [f"$ {command}\n", done.stdout]
    return "".join(lines)


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(refresh(readme.read_text(encoding="utf-8")), encoding="utf-8")

"""python -m docs.readme : write the README's tables and the outputs of its examples anew.

Tables come from the models' cards and benchmarks/results/*.csv, outputs from running what stands
before them. tests/test_readme.py fails when the README is not what this would write.
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

from colorize_core import ModelCard, cards

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"

Rows = list[dict[str, str]]


def refresh(text: str) -> str:
    """The README's text with every generated part made anew."""
    with _workshop():
        text = _between(text, r"<!-- models -->\n", models, r"<!-- /models -->")
        text = _between(text, r"<!-- speed -->\n", speed, r"<!-- /speed -->")
        text = _between(text, r"<!-- systems -->\n", systems, r"<!-- /systems -->")
        text = _between(text, r"<!-- selective -->\n", selective, r"<!-- /selective -->")
        text = _between(text, r"```pycon\n", session, r"```")
        return _between(text, r"```console\n", console, r"```")


def _between(text: str, start: str, make: Callable[[str], str], end: str) -> str:
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


def models(_: str) -> str:
    """What each card says, then how each model scores beside gray, the mean colour and truth; those
    that draw their colours in a table of their own, with fewer photographs."""
    facts = [["model", "what it is", "parameters", "weights", "licence", "known limits"]]
    facts += [_facts(card) for card in cards()]
    parts = [table_of(facts)]
    if scores := results("quality"):
        meaning = "*gray* adds no colour at all, *mean* one colour everywhere, *truth* is the"
        parts += [f"Scores {protocol(scores[0])}. {meaning} original.\n", score_table(scores)]
    if drawn := results("quality-sampled"):
        says = f"Models that draw their colours, scored {protocol(drawn[0])}, one draw of each.\n"
        parts += [says, score_table(drawn)]
    return "\n".join(parts)


def _facts(card: ModelCard) -> list[str]:
    size = sum(file.bytes for file in card.weights) / 2**20
    return [
        f"[`{card.name}`](weights/{card.name}/README.md)",
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
        f"by `{row['protocol']}` on {row['n']} photographs that no model was trained on: mean and "
        "95 % bootstrap interval"
    )


def scores_of(card: ModelCard) -> Rows:
    """The card's row with those of gray and truth on the same photographs; none if it has none."""
    rows = results("quality-sampled" if card.sampled else "quality")
    if card.name not in {row["model"] for row in rows}:
        return []
    return [row for row in rows if row["model"] in {"gray", "truth", card.name}]


def score_table(rows: Rows) -> str:
    """A row a model and a column a metric; empty where nothing was measured."""
    metrics = [
        name for name in rows[0] if f"{name}_low" in rows[0] and not name.startswith("seed_")
    ]
    table = [["", *metrics]]
    for row in rows:
        # The truth differs from itself by nothing: only how colourful it is says something.
        shown = ["colourfulness", "chroma"] if row["model"] == "truth" else metrics
        table.append([row["model"], *(score(row, m) if m in shown else "" for m in metrics)])
    return table_of(table)


def score(row: dict[str, str], metric: str) -> str:
    """The mean of a metric and its interval."""
    mean, low, high = (float(row[f"{metric}{end}"]) for end in ("", "_low", "_high"))
    return f"{mean:.2f} ({low:.2f} to {high:.2f})"


def speed(_: str) -> str:
    rows = results("speed")
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
    return f"Both sides timed in one run on {rows[0]['machine']}:\n\n{table_of(table)}"


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
        f"{large['peak_mib']} MiB, 92 of them the mask ({large['machine']}).\n"
    )


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

"""What a leaderboard shows: a row a model, of a committed evaluation or of a person's own."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from colorize_core.bundled import QUALITY
from colorize_core.cards import ModelCard
from colorize_core.errors import OptionError
from colorize_core.evaluate.comparison import REFERENCES, SECONDS, Column, Entry, Result
from colorize_core.evaluate.score_file import AFTER, BEFORE, Row
from colorize_core.metrics import METRICS, Metric, protocol
from colorize_core.metrics.baselines import BASELINES
from colorize_core.row_file import restore

OPTIONAL = "weights"  # a column that files of older versions do not have
MAKE = "python -m colorize_core.evaluate --models all --photos DIR --out scores.csv"
LPIPS = "lpips-alex"  # a column of the committed evaluation, filled or not
NOT_MEASURED = "not measured"
NO_NETWORK = "No network is asked."
SETTINGS = {"gray": "no colour at all", "mean": "one colour everywhere"}
TIME = Column(
    SECONDS.name,
    SECONDS.title,
    "lower",
    "Median time for a photo of 256 × 256, without loading the model.",
)


@dataclass(frozen=True)
class Figure:
    """A mean over photos with its 95 % interval. `wins`: the share of the photos on which the
    model is better than gray, None where that means nothing."""

    mean: float
    low: float
    high: float
    wins: float | None = None


@dataclass(frozen=True)
class Ranking:
    """`rows` are those of summarize() in colorize_core.evaluate.summary; `name` is that of a
    person's file, empty for the committed one. Raises OptionError where a cell is no number."""

    rows: tuple[Row, ...]
    name: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:  # now rather than while the page is drawn
            self.seconds(row["model"])
            for metric in self.asked:
                self.figure(row["model"], metric.name)

    @cached_property
    def models(self) -> dict[str, Row]:
        return {row["model"]: row for row in self.rows}

    @cached_property
    def asked(self) -> tuple[Metric, ...]:
        return tuple(each for each in METRICS if each.name in self.rows[0])

    @cached_property
    def measured(self) -> tuple[Metric, ...]:
        """Those that at least one model has a figure of."""
        return tuple(m for m in self.asked if any(row[m.name] for row in self.rows))

    @cached_property
    def shown(self) -> tuple[Metric, ...]:
        """The columns: what is measured, and of the committed evaluation also what is to come."""
        return tuple(m for m in METRICS if m in self.measured or m in self.to_come)

    @cached_property
    def to_come(self) -> tuple[Metric, ...]:
        """What the committed evaluation does not have yet and is to be filled by hand."""
        if self.name:
            return ()
        wanted = (m for m in METRICS if m.detail or m.name == LPIPS)
        return tuple(m for m in wanted if m not in self.measured)

    def count(self, model: str) -> int:
        """How many photos."""
        return int(self.models[model]["n"]) if model in self.models else 0

    @property
    def photos(self) -> int:
        """How many photos most of it is of."""
        return max(self.count(model) for model in self.models)

    def figure(self, model: str, metric: str) -> Figure | None:
        row = self.models.get(model, {})
        mean, low, high = (_read_number(row, f"{metric}{end}") for end in ("", "_low", "_high"))
        if mean is None or low is None or high is None:
            return None
        return Figure(mean, low, high, _read_number(row, f"{metric}_wins"))

    def seconds(self, model: str) -> float | None:
        """None of gray and mean, too: nothing is to be learned of them."""
        value = _read_number(self.models.get(model, {}), SECONDS.name)
        return None if model in BASELINES else value

    def truths_colourfulness(self) -> Figure | None:
        """Gray has none, so what it lacks is what the photos have."""
        lack = self.figure("gray", "colourfulness-difference")
        return lack and Figure(-lack.mean, -lack.high, -lack.low)

    def reasons(self, metric: str) -> tuple[str, ...]:
        """Why cells of that metric are empty, each once."""
        whys = (why for row in self.rows for why in row.get("why", "").split("; "))
        start = f"{metric}: "
        return tuple(dict.fromkeys(_strip(why) for why in whys if why.startswith(start)))


def _strip(why: str) -> str:
    """A reason without the metric's name before and the number of photos behind it."""
    return why.partition(": ")[2].rpartition(" (")[0] or why.partition(": ")[2]


def _read_number(row: Row, column: str) -> float | None:
    text = row.get(column, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise OptionError(f"{column} of {row['model']} is {text!r}; a number is needed.")
    return value


def list_results(ranking: Ranking, cards: Sequence[ModelCard]) -> list[Result]:
    """A result a model: gray and mean first, then in the order of the cards, then others. Of the
    committed evaluation, models without a row are there too, with an error."""
    titles = REFERENCES | {card.name: card.title for card in cards}
    names = [name for name in titles if name in ranking.models or not ranking.name]
    names = [name for name in names if name in ranking.models or name not in REFERENCES]
    names += [name for name in ranking.models if name not in titles]
    return [_build_result(ranking, name, titles.get(name, name)) for name in names]


def _build_result(ranking: Ranking, name: str, title: str) -> Result:
    entry = Entry(name if name in REFERENCES else "model", title, name)
    if not ranking.count(name):
        return Result(entry, error=NOT_MEASURED)
    figures = {metric.name: ranking.figure(name, metric.name) for metric in ranking.measured}
    scores = {metric: figure.mean for metric, figure in figures.items() if figure}
    missing = {metric: "; ".join(ranking.reasons(metric)) for metric in figures}
    if (seconds := ranking.seconds(name)) is not None:
        scores[SECONDS.name] = seconds
    elif name in REFERENCES:
        missing[SECONDS.name] = NO_NETWORK
    return Result(entry, scores, {metric: why for metric, why in missing.items() if why})


# --- files --------------------------------------------------------------------------------------


def read(path: Path = QUALITY) -> Ranking | None:
    """The committed evaluation; None where there is none. Raises OptionError."""
    if not path.is_file():
        return None
    with path.open(newline="", encoding="utf-8") as file:
        rows = tuple(csv.DictReader(file))
    if not rows or not {"model", "n", "protocol"} <= rows[0].keys():
        raise OptionError(f"{path.name} is no summary of an evaluation. Make it again.")
    return Ranking(rows)


def read_run(path: Path, cards: Sequence[ModelCard]) -> Ranking:
    """A person's own evaluation: the file that colorize_core.evaluate writes, summed up.

    Raises OptionError where it is another file or has no scores.
    """
    from colorize_core.evaluate.summary import summarize

    lines, names = _read_rows(path)
    rows = {(row["model"], row["photo"]): row for row in lines}  # the later of two counts
    known = (*BASELINES, *(card.name for card in cards))
    there = {model for model, _ in rows}
    models = [model for model in known if model in there]
    models += sorted(there - set(known))
    summed = [row for row in summarize(rows.values(), models, names) if row["n"] != "0"]
    if not summed:
        raise OptionError(
            f"{path.name} has no scores yet. Let the evaluation go on, then try again."
        )
    return Ranking(tuple(summed), path.name)


def _read_rows(path: Path) -> tuple[list[Row], list[str]]:
    """The rows, all with every column, and the names of the metrics."""
    data = path.read_bytes()
    if b"\0" in data:
        raise _refuse(path.name, "It is no text")
    text = data.decode("utf-8-sig", "replace")  # file names in it need not be UTF-8
    try:
        table = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:  # a cell longer than any that was written
        raise _refuse(path.name, "It is no table") from error
    head = table[0] if table else []
    names = _find_metrics(path.name, head)
    lines = (map(restore, line) for line in table[1:] if len(line) == len(head))
    full = [dict(zip(head, line, strict=True)) for line in lines]
    if not full:
        raise OptionError(f"{path.name} has no rows. Let the evaluation go on, then try again.")
    for number, row in enumerate(full, 2):
        _check(path.name, number, row, names)
    return [{OPTIONAL: "", **row} for row in full], names


def _find_metrics(name: str, head: Sequence[str]) -> list[str]:
    needed = [column for column in (*BEFORE, *AFTER) if column != OPTIONAL]
    if missing := [column for column in needed if column not in head]:
        raise _refuse(name, f"It has no column {_list(missing)}")
    found = [column for column in head if column not in (*BEFORE, *AFTER)]
    known = {metric.name for metric in METRICS}
    if strange := [column for column in found if column not in known]:
        raise OptionError(
            f"{name} has the column {_list(strange)}, which is no metric here. Take the columns "
            "out, or evaluate again with this version."
        )
    if not found:
        raise _refuse(name, "It has no metric")
    return found


def _refuse(name: str, what: str) -> OptionError:
    return OptionError(f"{name} is not the file of an evaluation. {what}. Make one with: {MAKE}")


def _list(names: Collection[str]) -> str:
    first = list(names)[:3]
    return ", ".join(map(repr, first)) + (" and others" if len(names) > len(first) else "")


def _check(name: str, line: int, row: Row, metrics: Iterable[str]) -> None:
    if row["protocol"] != protocol.NAME:
        raise OptionError(
            f"{name} was scored by the protocol {row['protocol']!r}; this compares scores by "
            f"{protocol.NAME!r} only. Evaluate again with this version."
        )
    try:
        for column in (*metrics, SECONDS.name):
            _read_number(row, column)
    except OptionError as error:
        raise OptionError(
            f"{name}, row {line}: {error} Correct the row, or take it out."
        ) from error

"""A leaderboard's table, its two plots and its words, made of a Ranking."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from colorize_core.cards import ModelCard
from colorize_core.evaluate import comparison
from colorize_core.evaluate.comparison import REFERENCES, Column, Result, list_undefeated
from colorize_core.evaluate.summary import describe_remedy
from colorize_core.metrics import Metric, find, protocol
from ui.leaderboard import scatter
from ui.leaderboard.ranking import MAKE, NOT_MEASURED, SETTINGS, TIME, Figure, Ranking, list_results
from ui.leaderboard.scatter import Axis, Line, Point, Value
from ui.shared import score_table
from ui.shared.score_table import write_undefeated

FIRST = "ciede2000"  # the metric that the second plot begins with
COLOURFULNESS = "colourfulness"
HINTS = {"higher": "higher is better ↑", "lower": "lower is better ↓", "nearer 0": "best near 0"}
LEGEND = (
    "Below it: its 95 % bootstrap interval over the photos, and the share of the photos on "
    "which it is better than the gray photo (equal counts half)."
)
RULES = "Bold: the best of a column, in which gray and the mean colour compete."


def build_table(ranking: Ranking, cards: Sequence[ModelCard]) -> dict[str, Any]:
    """The value of the table of scores."""
    found = list_results(ranking, cards)
    columns: list[Metric | Column] = [*ranking.shown, TIME]
    places = [comparison.count_decimals(r.value(column.name) for r in found) for column in columns]
    rows = comparison.list_rows(found, columns, places)
    known = {card.name for card in cards}
    for row, result in zip(rows, found, strict=True):
        model = result.entry.model
        row["settings"] = _describe_settings(ranking, result)
        row["link"] = model if model in known else ""
        for cell, column, digits in zip(row["cells"], columns, places, strict=True):
            if figure := ranking.figure(model, column.name):
                cell["small"] = describe_figure(figure, digits)
            elif column in ranking.to_come:
                cell["text"] = NOT_MEASURED
                cell["why"] = f"Fill it with: {describe_remedy([column.name])}"
    return {
        "first": "Model",
        "columns": [score_table.head(column) for column in columns],
        "rows": rows,
        "notes": list_notes(ranking, found, cards),
    }


def _describe_settings(ranking: Ranking, result: Result) -> str:
    """What stands below a name."""
    model = result.entry.model
    if result.error:
        return NOT_MEASURED
    words = [SETTINGS[model]] if model in SETTINGS else []
    words += [_count_photos(ranking.count(model))] if ranking.count(model) < ranking.photos else []
    return ", ".join(words)


def describe_figure(figure: Figure, places: int) -> list[str]:
    """The interval and the share of photos better than gray."""
    low, high = (comparison.format_figure(value, places) for value in (figure.low, figure.high))
    return [
        f"{low} to {high}",
        *([f"{100 * figure.wins:.0f} %"] if figure.wins is not None else []),
    ]


def _count_photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count:,} photos".replace(",", "\u202f")


def list_notes(ranking: Ranking, found: Sequence[Result], cards: Sequence[ModelCard]) -> list[str]:
    """What stands below the table, each once."""
    said = [RULES, *write_undefeated(list_undefeated(found, ranking.measured))]
    drawing = [card.title for card in cards if card.sampled and ranking.count(card.name)]
    if drawing:
        verb = "draws its" if len(drawing) == 1 else "draw their"
        said.append(
            f"{' and '.join(drawing)} {verb} colours: a sample is one of many plausible ones, so a "
            "comparison with one truth judges such a model unfairly. It wants a measure over many "
            "pictures, such as FID."
        )
    fewer = [r.entry.title for r in found if 0 < ranking.count(r.entry.model) < ranking.photos]
    if fewer:
        said.append(
            f"{', '.join(fewer)}: scored on fewer photos, so that its means do not compare with "
            "the others' directly; shares are of the photos that it has."
        )
    return [*said, *_list_to_come(ranking), *_list_missing(ranking), *_list_occasional(ranking)]


def _list_to_come(ranking: Ranking) -> list[str]:
    """Columns of which the committed scores have nothing yet, and how they get it."""
    if not ranking.to_come:
        return []
    titles = ", ".join(metric.title for metric in ranking.to_come)
    remedy = describe_remedy([metric.name for metric in ranking.to_come])
    return [
        f"Not measured yet: {titles}. Fill them in a clone of the repository with {remedy}, where "
        "DIR has the photographs."
    ]


def _list_missing(ranking: Ranking) -> list[str]:
    """Metrics without a column, and cells without a figure, with the reason."""
    reasons: dict[tuple[str, ...], list[str]] = {}
    for metric in ranking.asked:
        if metric not in (*ranking.measured, *ranking.to_come):
            reasons.setdefault(ranking.reasons(metric.name), []).append(metric.title)
    return [
        f"Not measured: {', '.join(titles)}. {' '.join(map(_write_sentence, why))}".rstrip()
        for why, titles in reasons.items()
    ]


def _list_occasional(ranking: Ranking) -> list[str]:
    """Why some photos have no figure of some metrics, for all models alike."""
    starts = tuple(f"{metric.name}: " for metric in ranking.asked)
    whys = [why for why in ranking.rows[0].get("why", "").split("; ") if why]
    return [_write_sentence(why) for why in whys if not why.startswith(starts)]


def _write_sentence(why: str) -> str:
    return f"{why[:1].upper()}{why[1:].rstrip('.')}."


# --- plots --------------------------------------------------------------------------------------


def plot_colours(ranking: Ranking, cards: Sequence[ModelCard]) -> dict[str, Any]:
    """CIEDE2000 against colourfulness, with what gray and the truth have."""
    points = [
        Point(r.entry.title, r.entry.kind, _read_value(x), _read_value(y))
        for r in _list_drawn(ranking, cards)
        if (x := ranking.figure(r.entry.model, COLOURFULNESS))
        and (y := ranking.figure(r.entry.model, FIRST))
    ]
    lines = _draw_gray(ranking, FIRST)
    if truth := ranking.truths_colourfulness():
        text = f"Truth {comparison.format_figure(truth.mean, 1)}"
        lines.append(Line("x", truth.mean, text))
    title = "Error against colourfulness"
    return scatter.view(title, Axis("Colourfulness"), _build_axis(find(FIRST)), points, lines)


def plot_speed(ranking: Ranking, cards: Sequence[ModelCard], metric: str) -> dict[str, Any]:
    """A metric against seconds, with what gray has."""
    points = [
        Point(r.entry.title, r.entry.kind, Value(seconds), _read_value(y))
        for r in _list_drawn(ranking, cards)
        if (seconds := ranking.seconds(r.entry.model)) is not None
        and (y := ranking.figure(r.entry.model, metric))
    ]
    x = Axis("Seconds a photo", logarithmic=True)
    title = "Quality against time"
    return scatter.view(title, x, _build_axis(find(metric)), points, _draw_gray(ranking, metric))


def list_choices(ranking: Ranking) -> list[tuple[str, str]]:
    """Metrics that the second plot can show: those with a direction."""
    return [(metric.title, metric.name) for metric in ranking.measured if metric.better]


def _list_drawn(ranking: Ranking, cards: Sequence[ModelCard]) -> list[Result]:
    return [r for r in list_results(ranking, cards) if not r.error and r.entry.kind != "truth"]


def _read_value(figure: Figure) -> Value:
    return Value(figure.mean, figure.low, figure.high)


def _build_axis(metric: Metric) -> Axis:
    return Axis(metric.title, HINTS.get(metric.better or "", ""))


def _draw_gray(ranking: Ranking, metric: str) -> list[Line]:
    """The level of no colour at all, beyond which a model had better done nothing."""
    gray = ranking.figure("gray", metric)
    if gray is None:
        return []
    better = find(metric).better
    worse_is_high = better == "lower" or (better == "nearer 0" and gray.mean > 0)
    figure = comparison.format_figure(gray.mean, comparison.count_decimals([gray.mean]))
    title = f"{REFERENCES['gray']} {figure}"
    beyond = "above" if worse_is_high else "below"
    return [Line("y", gray.mean, title, beyond, "worse than no colour at all")]


# --- words --------------------------------------------------------------------------------------


def introduce(ranking: Ranking | None) -> str:
    """What stands above the table, as HTML."""
    if ranking is None:
        return (
            "<p>There is no evaluation here yet. Make one of your own photos with "
            f"<code>{escape(MAKE)}</code> and show its file below.</p>"
        )
    whose = f"Your run {ranking.name}. " if ranking.name else ""
    means = f"{whose}Each figure is a mean over {_count_photos(ranking.photos)}. {LEGEND}"
    return f"<p>{escape(means)}</p>"


def describe_source(ranking: Ranking | None) -> str:
    """Where the figures are from and how to make them again, as HTML."""
    if ranking is None:
        return ""
    row = ranking.rows[0]
    photos = f"{_count_photos(ranking.photos)}{_name_photos(row)}"
    facts = [
        f"{photos}, scored by {protocol.NAME}: the centre of each photo at 256 × 256, "
        "every model's colours put on the truth's own lightness."
    ]
    # Rows may be of different commits: a model that did not change was not scored again.
    each = (commit for r in ranking.rows for commit in r.get("commit", "").split(" and "))
    commits = " and ".join(dict.fromkeys(filter(None, each)))
    machine, versions = row.get("machine"), row.get("versions")
    if commits:
        facts.append(
            f"Measured at commit {' on '.join(filter(None, (commits, machine)))}"
            f"{f' ({versions})' if versions else ''}."
        )
    paragraphs = "".join(f"<p>{escape(fact)}</p>" for fact in facts)
    return (
        f"{paragraphs}<p>The command that makes such a table: <code>{escape(MAKE)}</code>. "
        "docs/scores.md says more.</p>"
    )


def _name_photos(row: dict[str, str]) -> str:
    return f" of {row['photos']}" if row.get("photos") else ""

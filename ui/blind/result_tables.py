"""The tables below the blind tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from ui.blind.trials import PREFER, Choice, Results, Trial, compute_elo, count_caught, rate_fooling

MEANING = (
    "A rate is the share of rounds in which a model's colours were taken for the original's. "
    "50 % is as good as it gets: nobody can tell. In brackets, its 95 % interval by Wilson."
)
RATING = (
    "Elo ratings, computed from all rounds in their order: everybody starts at 1500, "
    "K is 32, no preference is half a win for either."
)


def build_table(question: str, results: Results, titles: Mapping[str, str]) -> str:
    """The results of one question as HTML, empty where there are none. `titles`: by model."""
    if question == PREFER:
        return _build_ratings(results.choices, titles) if results.choices else ""
    return _build_rates(results.trials, titles) if results.trials else ""


def _build_rates(trials: Sequence[Trial], titles: Mapping[str, str]) -> str:
    rows = []
    for rate in rate_fooling(trials):
        low, high = rate.interval
        name = titles.get(rate.model, rate.model)
        share = f"{100 * rate.share:.0f} % ({100 * low:.0f} to {100 * high:.0f})"
        rows.append((name, share, str(rate.n)))
    notes = [MEANING] if rows else []
    found, of = count_caught(trials)
    if of:
        notes.append(f"Pairs with wrong colours, to see whether you look: caught {found} of {of}.")
    again = sum(trial.seen and not trial.catch for trial in trials)
    if again:
        notes.append(f"Of photos shown before: {again}, not counted, as their colours were known.")
    return _lay_out(("Model", "Taken for real", "Rounds"), rows, notes)


def _build_ratings(choices: Sequence[Choice], titles: Mapping[str, str]) -> str:
    rows = [
        (titles.get(line.model, line.model), f"{line.rating:.0f}", *map(str, line[2:]))
        for line in compute_elo(choices)
    ]
    return _lay_out(("Model", "Elo", "Rounds", "Wins", "Ties"), rows, [RATING])


def _lay_out(head: Iterable[str], rows: Iterable[Iterable[str]], notes: Iterable[str]) -> str:
    lines = "".join(f"<tr>{_write_cells(row)}</tr>" for row in rows)
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    words = "".join(f"<p>{escape(note)}</p>" for note in notes)
    shown = f"<table><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table>" if lines else ""
    return f"<h2>Your results</h2>{shown}{words}"


def _write_cells(row: Iterable[str]) -> str:
    first, *rest = (escape(cell) for cell in row)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest)

"""python -m benchmarks.acceptance --photos ZIP-or-DIR... : results/photographs.csv, the hash of the
photographs that the committed scores are of.

merge() is `python -m colorize_core verify --merge`: what a report has and quality.csv lacks goes
into it, the mean colours of the examples into acceptance.csv, FID and KID into sets.csv. A report
of other weights or of other photographs is refused. What was scored before stays as it is.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from benchmarks import quality
from benchmarks.options import make_parser
from benchmarks.results_file import read, write
from colorize_core import cards
from colorize_core.acceptance.checks import parse_values
from colorize_core.acceptance.report import PASSED, ROWS, name_scores
from colorize_core.acceptance.run import EACH, EXAMPLES, FILES, PHOTOS, TOGETHER, digest_photos
from colorize_core.acceptance.subjects import choose
from colorize_core.errors import OptionError
from colorize_core.evaluate.score_file import Row
from colorize_core.metrics.baselines import BASELINES
from colorize_core.row_file import restore
from colorize_core.training.data import find_photos

LIMIT = 500
KEPT = ("seconds", "machine", "versions")  # of a row whose seconds were taken before
Steps = dict[tuple[str, str], Row]


def merge(folder: Path) -> list[str]:
    """Merge a report's folder; what was written, in words. OptionError where it is refused: nothing
    is written then."""
    steps = {(row["subject"], row["step"]): row for row in _read_rows(folder / ROWS)}
    _check_weights(steps)
    scores = _merge_scores(folder, steps)
    sets = _merge_sets(folder, steps)
    colours = _merge_colours(steps)
    for name, rows in (("quality", scores), ("sets", sets), ("acceptance", colours)):
        if rows:
            write(name, rows)
    told = (
        (scores, f"quality.csv has scores of {len(scores)} models now, gray and mean among them."),
        (sets, f"{len(sets)} distances of all pictures together are in sets.csv."),
        (colours, f"Mean colours of {len(colours)} pictures are in acceptance.csv."),
    )
    if not any(rows for rows, _ in told):
        raise OptionError(f"{folder} has nothing that passed and could be merged.")
    return [text for rows, text in told if rows]


def _read_rows(path: Path) -> list[Row]:
    if not path.is_file():
        raise OptionError(f"There is no {path}: name the folder of a report.")
    with path.open(newline="", encoding="utf-8") as file:
        return [{k: restore(v) for k, v in row.items()} for row in csv.DictReader(file)]


def _check_weights(steps: Steps) -> None:
    """Refuse models whose files were others than those that the catalogue and the cards name."""
    for (name, step), row in steps.items():
        if step != FILES:
            continue
        (subject,) = choose([name])
        known = {
            f"{file.repo}/{file.path}" if file.repo else file.path: file.sha256
            for each in subject.downloads
            for file in each.files
        }
        for text in filter(None, row["hashes"].split("; ")):
            file, _, digest = text.rpartition(" ")
            if file not in known or not digest.startswith(known[file]):
                raise OptionError(
                    f"The report is of other weights of {name} than this version names: {file} has "
                    f"the sha256 {digest}. Verify this version, and merge that."
                )


def _merge_scores(folder: Path, steps: Steps) -> list[Row]:
    """The rows of quality.csv with what the report has beside; none where it has no scores."""
    step = steps.get((PHOTOS, EACH))
    if step is None:
        return []
    before = {row["model"]: row for row in read("quality")}
    digest = step["hashes"].rpartition(" ")[2]
    photos = _find_photos(digest)
    if step["outcome"] != PASSED:
        raise OptionError(
            f"The scores of the report failed: {step['found']}. Finish it, or verify what can be "
            "had into another folder."
        )
    try:
        fresh = quality.rows_of(_read_rows(folder / name_scores("scores", digest)))
    except ValueError as error:
        raise OptionError(f"The report is refused: {error}.") from error
    made = {key: step[key] for key in ("machine", "versions")}
    merged = [
        _merge_row(row | {"photos": photos["photos"]}, before.get(row["model"], {}), made)
        for row in fresh
        if row["n"] == photos["n"]  # of others an earlier run was stopped
    ]
    others = [row for model, row in before.items() if model not in {r["model"] for r in merged}]
    about = {row["model"]: row for row in (*merged, *others)}
    order = [*BASELINES, *(card.name for card in cards(downloads=True))]
    return [
        row | {key: about[row["model"]][key] for key in ("machine", "versions")}
        for row in sorted(
            quality.aligned([*_drop_machine(merged), *_drop_machine(others)]),
            key=lambda row: order.index(row["model"]),
        )
    ]


def _merge_row(row: Row, before: Row, made: Row) -> Row:
    """Of the same model, weights and photographs: what was measured before, with the metrics that
    it lacks. Otherwise the new row alone."""
    if any(row[key] != before.get(key) for key in ("weights", "photos", "protocol", "n")):
        return row | made
    lacking = {
        key: value
        for key, value in row.items()
        if key not in quality.MEASURED or not before.get(key.partition("_")[0])
    }
    (joined,) = quality.joined([lacking], [before])
    return joined | {key: before[key] for key in KEPT}


def _drop_machine(rows: Sequence[Row]) -> list[Row]:
    return [{k: v for k, v in row.items() if k not in ("machine", "versions")} for row in rows]


def _find_photos(digest: str) -> Row:
    """What is known of the photographs of that hash, which the committed scores are of."""
    for row in read("photographs"):
        if row["sha256"] == digest:
            return row
    raise OptionError(
        "The report is of other photographs than the committed scores are, which cannot be "
        f"compared: the sha256 of its photographs is {digest or 'not known'}."
    )


def _merge_sets(folder: Path, steps: Steps) -> list[Row]:
    step = steps.get((PHOTOS, TOGETHER), {})
    if step.get("outcome") != PASSED:
        return []
    made = {key: step[key] for key in ("machine", "versions")}
    digest = step["hashes"].rpartition(" ")[2]
    rows = _read_rows(folder / name_scores("sets", digest))
    return [row | {"photographs_sha256": digest} | made for row in rows]


def _merge_colours(steps: Steps) -> list[Row]:
    """What the next run compares the examples with; models that the report has not stay."""
    rows = {(row["model"], row["example"]): row for row in read("acceptance")}
    done = [
        row for (_, step), row in steps.items() if step == EXAMPLES and row["outcome"] == PASSED
    ]
    for row in done:
        for example, (a, b) in parse_values(row["values"]).items():
            made = {key: row[key] for key in ("machine", "versions")}
            about = {"model": row["subject"], "weights": row["weights"], "example": example}
            rows[row["subject"], example] = {**about, "a": a, "b": b, **made}
    return list(rows.values()) if done else []


def main() -> None:
    arguments = make_parser(__doc__, photos=True).parse_args()
    photos = find_photos(arguments.photos, LIMIT)
    names = ", ".join(dict.fromkeys(photo.name.partition("/")[0] for photo in photos))
    write(
        "photographs",
        [{"photos": names, "n": str(len(photos)), "sha256": digest_photos(photos)}],
    )


if __name__ == "__main__":
    main()

"""A report's scores go into the results where it is of the same weights and photographs."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import score_tables

from benchmarks import acceptance, quality, results_file
from colorize_core import cards
from colorize_core.acceptance.report import FAILED, PASSED, Report
from colorize_core.cli import main
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import OptionError

MODELS = ("gray", "mean", "autochrome")
DIGESTS = {card.name: card.digest for card in cards(downloads=True)}
OF_PHOTOS = "0123456789abcdef" * 4
ENDS = ("", "_low", "_high", "_wins")


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scores of three models without LPIPS, on photographs of that hash."""
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.setattr(results_file, "RESULTS", folder)
    now = {"commit": "new", "machine": "here", "versions": "new"}
    for module in (results_file, quality):
        monkeypatch.setattr(module, "provenance", lambda: now)
    count = str(len(score_tables.PHOTOS))
    made = {"commit": "old", "machine": "a clock", "versions": "old"}
    rows = []
    for model in MODELS:
        row = {"photos": "val.zip", "model": model, "protocol": "recombine-256"}
        row |= {"weights": DIGESTS.get(model, ""), "n": count}
        row |= {f"ciede2000{end}": "9.9" for end in ENDS}
        row |= {f"lpips-squeeze{end}": "" for end in ENDS}
        rows.append(row | {"seconds": "0.5", "why": score_tables.WHY} | made)
    score_tables.write(folder / "quality.csv", rows)
    photographs = {"photos": "val.zip", "n": count, "sha256": OF_PHOTOS} | made
    score_tables.write(folder / "photographs.csv", [photographs])
    return folder


def make_report(
    folder: Path,
    models: tuple[str, ...] = MODELS,
    outcome: str = PASSED,
    photos: str = OF_PHOTOS,
    weights: dict[str, str] = DIGESTS,
) -> Path:
    """A report with LPIPS, and the mean colours of an example."""
    made = Report(folder)
    made.add(
        {
            "subject": "photographs",
            "step": "each picture",
            "outcome": outcome,
            "found": "it is told",
            "hashes": f"photographs sha256 {photos}",
            "machine": "there",
        }
    )
    (file,) = [f for f in cards()[0].weights if f.path.endswith("model.safetensors")]
    made.add(
        {
            "subject": "autochrome",
            "step": "files",
            "outcome": PASSED,
            "hashes": f"{file.path} {file.sha256}",
        }
    )
    made.add(
        {
            "subject": "autochrome",
            "step": "examples",
            "weights": "feed",
            "outcome": PASSED,
            "values": "cat.jpg 1.500 -2.250",
        }
    )
    table = [
        {**row, "photo": f"elsewhere/{row['photo']}", "weights": weights.get(row["model"], "")}
        for row in score_tables.rows(("gray", "mean"))
    ]
    table += [
        {**row, "model": model, "photo": f"elsewhere/{row['photo']}", "weights": weights[model]}
        for model in models[2:]
        for row in score_tables.rows(("autochrome",))
    ]
    for row in table:
        row |= {"lpips-squeeze": "0.25", "why": ""}
    score_tables.write(folder / f"scores-{photos[:8]}.csv", table)
    return folder


def read(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_what_was_not_measured_is_filled_and_the_rest_stays(results: Path, tmp_path: Path) -> None:
    told = acceptance.merge(make_report(tmp_path / "report"))
    assert told[0] == "quality.csv has scores of 3 models now, gray and mean among them."
    rows = read(results, "quality")
    assert [row["model"] for row in rows] == list(MODELS)
    assert {row["lpips-squeeze"] for row in rows} == {"0.2500"}
    assert {row["ciede2000"] for row in rows} == {"9.9"}
    assert {row["seconds"] for row in rows} == {"0.5"}
    assert {row["machine"] for row in rows} == {"a clock"}
    assert {row["commit"] for row in rows} == {"old and new"}
    assert not [row["why"] for row in rows if "lpips-squeeze: " in row["why"]]
    (row,) = read(results, "acceptance")
    assert (row["model"], row["weights"], row["example"]) == ("autochrome", "feed", "cat.jpg")
    assert (row["a"], row["b"]) == ("1.500", "-2.250")


def test_a_published_model_gets_a_row_with_all_that_was_measured(
    results: Path, tmp_path: Path
) -> None:
    acceptance.merge(make_report(tmp_path / "report", (*MODELS, "eccv16")))
    rows = {row["model"]: row for row in read(results, "quality")}
    assert list(rows) == [*MODELS, "eccv16"]
    assert rows["eccv16"]["ciede2000"] != "9.9"
    assert rows["eccv16"]["lpips-squeeze"] == "0.2500"
    assert rows["eccv16"]["machine"] == "there"
    assert rows["eccv16"]["weights"] == DOWNLOADS["eccv16"].files[0].sha256[:8]
    with (results / "quality.csv").open(encoding="utf-8") as file:
        heads = file.readline().strip().split(",")
    assert len(set(heads)) == len(heads)


def test_models_that_were_scored_in_part_only_are_left_out(results: Path, tmp_path: Path) -> None:
    folder = make_report(tmp_path / "report", (*MODELS, "eccv16"))
    (path,) = folder.glob("scores-*.csv")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    acceptance.merge(folder)
    assert [row["model"] for row in read(results, "quality")] == list(MODELS)


def test_models_that_the_report_has_not_stay(results: Path, tmp_path: Path) -> None:
    acceptance.merge(make_report(tmp_path / "report", MODELS[:2]))
    rows = {row["model"]: row for row in read(results, "quality")}
    assert rows["autochrome"]["lpips-squeeze"] == ""
    assert rows["autochrome"]["ciede2000"] == "9.9"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"photos": "f" * 64}, "other photographs"),
        ({"photos": ""}, "other photographs"),
        ({"outcome": FAILED}, "scores of the report failed: it is told"),
        ({"weights": DIGESTS | {"autochrome": "deadbeef"}}, "other weights"),
    ],
)
def test_a_report_of_something_else_is_refused(
    wrong: dict[str, str], message: str, results: Path, tmp_path: Path
) -> None:
    before = (results / "quality.csv").read_bytes()
    with pytest.raises(OptionError, match=message):
        acceptance.merge(make_report(tmp_path / "report", **wrong))
    assert (results / "quality.csv").read_bytes() == before
    assert not (results / "acceptance.csv").exists()


def test_files_of_another_version_are_refused(results: Path, tmp_path: Path) -> None:
    folder = make_report(tmp_path / "report")
    made = Report(folder)
    row = made.rows["autochrome", "files"]
    made.add(row | {"hashes": "autochrome/model.safetensors " + "0" * 64})
    with pytest.raises(OptionError, match="other weights of autochrome"):
        acceptance.merge(folder)


def test_distances_of_all_pictures_together_are_kept_with_their_photographs(
    results: Path, tmp_path: Path
) -> None:
    folder = make_report(tmp_path / "report")
    row = {"model": "gray", "metric": "fid", "extractor": "inception-v3-tv", "value": "7.5"}
    score_tables.write(folder / "sets-abc.csv", [row])
    step = {"subject": "photographs", "step": "all pictures together"}
    Report(folder).add(step | {"outcome": "skipped"})
    acceptance.merge(folder)
    assert not (results / "sets.csv").exists()
    Report(folder).add(step | {"outcome": PASSED, "hashes": "photographs sha256 abc"})
    acceptance.merge(folder)
    (kept,) = read(results, "sets")
    assert row.items() <= kept.items()
    assert kept["photographs_sha256"] == "abc"


def test_the_command_merges(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--merge", str(make_report(tmp_path / "report"))]) == 0
    assert "python -m docs.pages && python -m docs.model_cards" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["verify", "--merge", str(tmp_path / "nothing")])
    assert "name the folder of a report" in capsys.readouterr().err

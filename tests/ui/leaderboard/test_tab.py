"""The tab "Leaderboard" without a browser: what it reads, and what it makes of it."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import drawing_models
import gradio as gr
import pytest
import score_tables
from handler_calls import WHO, Updates, call
from scenes import ROOT
from score_tables import METRICS, PHOTOS, SCORES, TRUTH, rows, run, write

import colorize_core
from colorize_core.errors import OptionError
from colorize_core.evaluate.summary import summarize
from ui.leaderboard import ranking, scatter, views
from ui.leaderboard.ranking import Ranking, read, read_run
from ui.leaderboard.scatter import Axis, Line, Point, Scale, Value
from ui.leaderboard.tab import FIGURES, Handlers, read_guide
from ui.server.temp_files import Folder
from ui.shared.service import Service

CARDS = drawing_models.CARDS
COMMITS = "at commit 0123456789ab and ba9876543210 on A machine, 2 cores (python 3.11)."


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """A summary as it is committed."""
    about = {"commit": "0123456789ab", "machine": "A machine, 2 cores", "versions": "python 3.11"}
    summed = summarize(rows(), list(SCORES), METRICS)
    table = [{"model": row.pop("model"), "photos": "val.zip", **row, **about} for row in summed]
    table[-1]["commit"] = "ba9876543210"  # of a model that did not change since
    return write(tmp_path / "quality.csv", table)


@pytest.fixture
def known(committed: Path) -> Ranking:
    found = read(committed)
    assert found is not None
    return found


@pytest.fixture
def handlers(tmp_path: Path, known: Ranking) -> Handlers:
    return Handlers(Service(Folder(tmp_path)), CARDS, known)


def take(handlers: Handlers, path: Path, **options: Any) -> Updates:
    return call(handlers.take, {"path": path}, **options)


def row(table: dict[str, Any], title: str) -> dict[str, Any]:
    return next(each for each in table["rows"] if each["title"] == title)


def cell(table: dict[str, Any], title: str, column: str) -> dict[str, Any]:
    at = [each["title"] for each in table["columns"]].index(column)
    found: dict[str, Any] = row(table, title)["cells"][at]
    return found


def point(plot: dict[str, Any], title: str) -> dict[str, Any]:
    return next(each for each in plot["points"] if each["title"] == title)


def test_the_table_has_means_intervals_and_shares_better_than_gray(known: Ranking) -> None:
    table = views.build_table(known, CARDS)
    autochrome = cell(table, "Autochrome", "CIEDE2000")
    assert autochrome["text"] == "8.00"
    low, high = map(float, autochrome["small"][0].split(" to "))
    assert 6 <= low < 8 < high <= 9
    assert autochrome["small"][1] == "75 %", "better on three of four photos"
    assert len(cell(table, "Gray", "CIEDE2000")["small"]) == 1, "gray is not compared with itself"
    assert len(cell(table, "Autochrome", "Colourfulness")["small"]) == 1, "no direction, no share"
    assert cell(table, "ColTran", "Seconds")["text"] == "12.00"
    assert cell(table, "Gray", "Seconds")["text"] == "–"


def test_baselines_compete_and_are_set_apart(known: Ranking) -> None:
    table = views.build_table(known, CARDS)
    assert [each["kind"] for each in table["rows"][:3]] == ["gray", "mean", "model"]
    best = {each["title"] for each in table["rows"] if each["cells"][1]["best"]}
    assert best == {"Autochrome"}
    without = Ranking(tuple(each for each in known.rows if each["model"] != "autochrome"))
    table = views.build_table(without, CARDS)
    assert cell(table, "Gray", "CIEDE2000")["best"]
    assert any(note.startswith("Gray beats every model in") for note in table["notes"])


def test_models_without_a_row_are_named_and_all_known_ones_lead_to_their_tab(
    known: Ranking,
) -> None:
    table = views.build_table(known, CARDS)
    assert row(table, "Student")["settings"] == "not measured"
    texts = {each["text"] for each in row(table, "Student")["cells"]}
    assert texts == {"–", "not measured"}
    assert row(table, "Student")["link"] == drawing_models.STUDENT.name
    assert row(table, "Gray")["link"] == ""
    assert row(table, "Autochrome")["settings"] == ""


def test_a_metric_that_nobody_has_is_said_below_with_its_reason(known: Ranking) -> None:
    table = views.build_table(known, CARDS)
    assert "LPIPS (SqueezeNet)" not in [each["title"] for each in table["columns"]]
    (note,) = (each for each in table["notes"] if each.startswith("Not measured:"))
    assert note == "Not measured: LPIPS (SqueezeNet). The trunk cannot be had: no network."


def test_what_the_committed_scores_do_not_have_yet_says_how_to_fill_it(known: Ranking) -> None:
    table = views.build_table(known, CARDS)
    details = [each["title"] for each in table["columns"] if each["detail"]]
    assert len(details) == 10
    empty = cell(table, "Autochrome", "R² of a")
    assert empty["text"] == "not measured"
    assert "--metrics r2-a " in empty["why"]
    (note,) = (
        each
        for each in table["notes"]
        if each.startswith("Not measured yet: LPIPS (AlexNet), R² of a, R²")
    )
    assert "autochrome verify bundled trunks --photos DIR && autochrome verify --merge" in note
    assert known.measured == Ranking(known.rows, "mine.csv").shown, "an own run has what it has"


def test_lpips_is_a_column_that_says_how_to_fill_it(known: Ranking) -> None:
    table = views.build_table(known, CARDS)
    empty = cell(table, "Autochrome", "LPIPS (AlexNet)")
    assert (empty["text"], empty["best"]) == ("not measured", False)
    assert "autochrome verify bundled trunks --photos DIR" in empty["why"]
    ends = {"": "0.2", "_low": "0.1", "_high": "0.3", "_wins": "0.75"}
    rows = ({**each, **{f"lpips-alex{end}": v for end, v in ends.items()}} for each in known.rows)
    filled = views.build_table(Ranking(tuple(rows)), CARDS)
    assert cell(filled, "Autochrome", "LPIPS (AlexNet)")["text"] == "0.200"
    own = views.build_table(Ranking(known.rows, "mine.csv"), CARDS)
    assert "LPIPS (AlexNet)" not in [each["title"] for each in own["columns"]]


def test_errors_of_a_and_b_that_were_measured_are_columns(known: Ranking) -> None:
    ends = {"": "0.5", "_low": "0.4", "_high": "0.6", "_wins": "0.75"}
    rows = tuple({**each, **{f"r2-a{end}": v for end, v in ends.items()}} for each in known.rows)
    table = views.build_table(Ranking(rows), CARDS)
    assert cell(table, "Autochrome", "R² of a")["small"] == ["0.400 to 0.600", "75 %"]
    (note,) = (each for each in table["notes"] if each.startswith("Not measured yet:"))
    assert "R² of a" not in note


def test_drawn_colours_and_fewer_photos_are_remarked(tmp_path: Path) -> None:
    table = [each for each in rows() if (each["model"], each["photo"]) != ("coltran", "a.jpg")]
    fewer = read_run(write(tmp_path / "run.csv", table), CARDS)
    shown = views.build_table(fewer, CARDS)
    assert row(shown, "ColTran")["settings"] == "3 photos"
    assert any("ColTran draws its colours" in note and "FID" in note for note in shown["notes"])
    assert any(note.startswith("ColTran: scored on fewer photos") for note in shown["notes"])


def test_the_first_plot_has_gray_and_the_truth_drawn_in(known: Ranking) -> None:
    plot = views.plot_colours(known, CARDS)
    assert [each["title"] for each in plot["points"]] == [
        "Gray", "Mean colour", "Autochrome", "ColTran"
    ]  # fmt: skip
    level, truth = plot["lines"]
    gray = point(plot, "Gray")
    assert (level["axis"], level["at"], level["beyond"]) == ("y", gray["y"][0], "above")
    assert (truth["axis"], truth["title"]) == ("x", f"Truth {TRUTH:.1f}")
    autochrome = point(plot, "Autochrome")
    assert autochrome["y"][0] < level["at"] < point(plot, "ColTran")["y"][0]
    share = (truth["at"] - gray["x"][0]) / (autochrome["x"][0] - gray["x"][0])
    assert share == pytest.approx(TRUTH / 25, rel=1e-3)
    assert autochrome["words"][0] == "Colourfulness 25.00 (25.00 to 25.00)"
    assert autochrome["words"][1].startswith("CIEDE2000 8.00 (")


def test_the_second_plot_is_of_any_metric_and_of_models_only(handlers: Handlers) -> None:
    plot = handlers.choose("psnr", None)["speed"]
    assert [each["title"] for each in plot["points"]] == ["Autochrome", "ColTran"]
    (level,) = plot["lines"]
    assert level["beyond"] == "below"
    assert point(plot, "ColTran")["y"][0] < level["at"] < point(plot, "Autochrome")["y"][0]
    assert point(plot, "ColTran")["words"][0] == "Seconds a photo 12.00"
    assert handlers.choose("colourfulness", None) == {}, "it has no direction"


def test_without_seconds_there_is_no_second_plot(tmp_path: Path, known: Ranking) -> None:
    untimed = Ranking(tuple({**each, "seconds": ""} for each in known.rows))
    on = Handlers(Service(Folder(tmp_path)), CARDS, untimed)
    shown = on.show_figures(untimed)
    assert len(shown["colours"]["points"]) == len(SCORES)
    assert (shown["metric"]["visible"], shown["speed"]["points"]) == (False, [])
    assert on.show_figures(known)["metric"]["visible"]


def test_where_the_figures_are_from_is_said(known: Ranking) -> None:
    said = views.describe_source(known)
    for words in ("4 photos of val.zip", "recombine-256", COMMITS, ranking.MAKE):
        assert words in said
    assert "mean over 4 photos" in views.introduce(known)


def test_without_a_file_the_tab_says_how_to_make_one(tmp_path: Path) -> None:
    assert read(tmp_path / "quality.csv") is None
    on = Handlers(Service(Folder(tmp_path)), CARDS, None)
    shown = on.show(None)
    assert shown["own"] is None
    assert shown["bar"]["visible"] is False
    assert ranking.MAKE in shown["intro"]
    figures = [shown[name] for name in FIGURES]
    assert figures == [None, None, gr.update(visible=False), None, ""]
    run(tmp_path / "other.csv").rename(tmp_path / "quality.csv")
    with pytest.raises(OptionError, match="no summary"):
        read(tmp_path / "quality.csv")


def test_the_committed_file_can_be_read() -> None:
    found = read()
    assert found is not None
    table = views.build_table(found, colorize_core.cards())
    titles = {each["title"] for each in table["rows"]}
    assert {"Gray", "Mean colour", *(card.title for card in colorize_core.cards())} <= titles
    assert cell(table, "Autochrome", "CIEDE2000")["text"] != "–"


# --- a person's own run -------------------------------------------------------------------------


def test_an_own_run_takes_the_place_of_the_committed_one_and_goes_again(
    handlers: Handlers,
) -> None:
    path = run(handlers.service.folder.new("mine.csv"), ["autochrome", "gray"])
    shown = take(handlers, path)
    assert (shown["message"], shown["zone"]["value"], shown["bar"]["visible"]) == ("", None, True)
    assert "Your run mine.csv." in shown["intro"]
    assert [each["title"] for each in shown["table"]["rows"]] == ["Gray", "Autochrome"]
    assert cell(shown["table"], "Autochrome", "PSNR")["small"][1] == "75 %"
    assert len(handlers.choose("psnr", shown["own"])["speed"]["points"]) == 1
    shown = handlers.show()
    assert (shown["message"], shown["own"], shown["bar"]["visible"]) == ("", None, False)
    assert len(shown["table"]["rows"]) == 2 + len(CARDS)


def test_older_runs_unknown_models_and_cut_files_are_read(tmp_path: Path) -> None:
    table = [{**each, "model": each["model"].replace("coltran", "mine<b>")} for each in rows()]
    for each in table:
        del each["weights"]
    path = write(tmp_path / "run.csv", table)
    with path.open("a", encoding="utf-8") as file:
        file.write("mine<b>,e.jpg,recombi")
    found = read_run(path, CARDS)
    assert [each["model"] for each in found.rows] == ["gray", "mean", "autochrome", "mine<b>"]
    assert found.count("mine<b>") == len(PHOTOS)
    assert row(views.build_table(found, CARDS), "mine<b>")["link"] == ""


def test_without_gray_there_is_no_level_and_no_share(tmp_path: Path) -> None:
    found = read_run(run(tmp_path / "run.csv", ["autochrome"]), CARDS)
    assert views.plot_colours(found, CARDS)["lines"] == []
    assert len(cell(views.build_table(found, CARDS), "Autochrome", "CIEDE2000")["small"]) == 1


def cells(**changed: str) -> list[dict[str, str]]:
    first, *rest = rows()
    return [{**first, **changed}, *rest]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ([{"name": "a", "value": "1"}], "no column 'model', 'photo', 'protocol' and others"),
        ([{**each, "beauty": "1"} for each in rows()], "'beauty', which is no metric"),
        (cells(psnr="high"), "row 2: psnr of gray is 'high'; a number is needed"),
        (cells(ciede2000="nan"), "ciede2000 of gray is 'nan'"),
        (cells(protocol="full-size"), "by the protocol 'full-size'"),
        ([{**each, "seconds": ""} for each in rows()], "has no scores yet"),
    ],
)
def test_bad_files_are_explained_in_words(
    handlers: Handlers, table: list[dict[str, str]], says: str
) -> None:
    path = write(handlers.service.folder.new("bad.csv"), table)
    shown = take(handlers, path)
    message = shown.pop("message")
    assert says in message.replace("&#x27;", "'")
    assert "bad.csv" in message
    assert str(path.parent) not in message
    assert shown == {"zone": gr.update(value=None)}, "what is seen stays"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no column"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "It is no text"),
        (b'"' + b"x" * 200_000, "It is no table"),
        (",".join(rows()[0]).encode() + b"\n", "has no rows"),
    ],
)
def test_other_files_are_explained_in_words(handlers: Handlers, data: bytes, says: str) -> None:
    path = handlers.service.folder.new("bad.csv")
    path.write_bytes(data)
    assert says in take(handlers, path)["message"]


def test_only_files_that_were_sent_are_read(handlers: Handlers, tmp_path: Path) -> None:
    elsewhere = run(tmp_path / "elsewhere.csv")
    assert "No file was given" in take(handlers, elsewhere)["message"]
    gone = handlers.service.folder.new("gone.csv")
    assert "gone.csv is no longer here" in take(handlers, gone)["message"]


def test_stopping_keeps_what_is_there(handlers: Handlers) -> None:
    path = run(handlers.service.folder.new("mine.csv"))
    handlers.stop(5, WHO)
    assert take(handlers, path, turn=4) == {"zone": gr.update(value=None)}


# --- plots --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "ticks"),
    [
        (Scale(9.5, 13.2), [10, 11, 12, 13]),
        (Scale(-42, 3), [-40, -30, -20, -10, 0]),
        (Scale(0.0, 1.0), [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (Scale(0.011, 31, True), [0.1, 1, 10]),
        (Scale(0.05, 12, True), [0.1, 0.3, 1, 3, 10]),
        (Scale(0.02, 0.9, True), [0.02, 0.05, 0.1, 0.2, 0.5]),
    ],
)
def test_ticks_are_round_and_within(scale: Scale, ticks: list[float]) -> None:
    assert scale.ticks() == pytest.approx(ticks)


def test_a_logarithmic_axis_leaves_out_what_has_no_place() -> None:
    axis = Axis("Seconds", logarithmic=True)
    points = [
        Point("quick", "model", Value(0.01, -0.001, 0.02), Value(1.0)),
        Point("slow", "model", Value(1.0), Value(2.0)),
        Point("never", "model", Value(0.0), Value(3.0)),
    ]
    plot = scatter.view("Plot", axis, Axis("Error"), points, [Line("y", 1.5, "Gray")])
    assert [each["title"] for each in plot["points"]] == ["quick", "slow"]
    quick, slow = plot["points"]
    assert len(quick["x"]) == 1, "its interval would begin nowhere"
    low, high = (math.log10(v) for v in (0.01, 1.0))
    room = max((high - low) * scatter.PADDING, math.log10(1.2))
    assert quick["x"][0] == pytest.approx(room / (high - low + 2 * room), abs=1e-3)
    assert slow["x"][0] == pytest.approx(1 - quick["x"][0], abs=1e-3)
    assert scatter.view("Plot", axis, Axis("Error"), points[2:])["points"] == []


def test_equal_values_have_a_place_too() -> None:
    one = Point("one", "model", Value(0.0), Value(5.0))
    plot = scatter.view("Plot", Axis("x"), Axis("y"), [one])
    assert (plot["points"][0]["x"], plot["points"][0]["y"]) == ([0.5], [0.5])


def test_levels_of_metrics_that_are_best_near_zero(known: Ranking) -> None:
    plot = views.plot_speed(known, CARDS, "colourfulness-difference")
    (level,) = plot["lines"]
    assert level["beyond"] == "below", "gray lacks all colour"


def test_the_guide_shows_its_pictures_and_leads_nowhere_wrong(tmp_path: Path) -> None:
    path = tmp_path / "metrics.md"
    assert read_guide(path) == ""
    path.write_text("![Blur](metrics/blur.png) [CSV](../a.csv) [paper](https://x.org/p)")
    folder = tmp_path.as_posix()
    shown = f"![Blur](gradio_api/file={folder}/metrics/blur.png) CSV [paper](https://x.org/p)"
    assert read_guide(path) == shown


def test_building_the_tab_loads_no_torch() -> None:
    code = (
        "import sys, gradio as gr; from ui.leaderboard import tab as leaderboard\n"
        "with gr.Blocks(): leaderboard.build(None)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_the_tables_of_the_tests_are_what_an_evaluation_writes(tmp_path: Path) -> None:
    from colorize_core.evaluate.score_file import ScoreFile

    path = score_tables.run(tmp_path / "run.csv")
    assert len(ScoreFile(path, METRICS, 0).rows) == len(SCORES) * len(PHOTOS)

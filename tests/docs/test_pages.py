"""The README and the pages in docs/ are what their generator writes, and say what is so."""

from __future__ import annotations

import csv
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from scenes import ROOT

from colorize_core import cards
from colorize_core.cards import SEED, ModelCard
from docs import model_cards, pages, tables

README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def without_times(text: str) -> str:
    return re.sub(r"\d+\.\d s\b", "0.0 s", text)


def requirements() -> dict[str, str]:
    """Package -> its range, of everything that requirements.txt lists."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [re.match(r"([A-Za-z0-9-]+)(.*)", line) for line in lines if line[:1] not in ("#", "")]
    return {match[1]: match[2] for match in found if match}


@pytest.mark.parametrize("page", pages.PAGES)
def test_tables_and_outputs_are_up_to_date(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert without_times(text) == without_times(pages.refresh(page, text)), (
        "run python -m docs.pages"
    )


def test_every_generated_part_is_of_a_page_that_is_refreshed() -> None:
    other = {"docs/metrics.md"}  # has a generator of its own
    for path in TEXTS:
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        marks = re.findall(r"^<!-- ([a-z-]+) -->$", text, re.MULTILINE)
        if name not in other:
            assert tuple(marks) == pages.PAGES.get(name, ()), name
        if re.search(r"^```(pycon|console)$", text, re.MULTILINE):
            assert name in pages.PAGES, "its outputs would go stale"


def test_the_readme_stays_short() -> None:
    assert len(README.encode()) < 10_000
    scores = README.split("<!-- few-scores -->")[1].split("<!-- /few-scores -->")[0]
    assert len(re.findall(r"^\|", scores, re.MULTILINE)) == 2 + 5, "a heading and five rows"


def measured(folder: Path, **models: dict[str, str]) -> None:
    """A results/quality.csv in which every metric shown is 7 (6 to 8), unless told."""
    names = (*pages.SHOWN, "colourfulness-difference", "lpips-alex")
    rows = []
    for model, told in models.items():
        row = {"model": model, "protocol": "recombine-256", "n": "1500", "machine": "a clock"}
        for name in names:
            row |= {name: "7.000", f"{name}_low": "6.000", f"{name}_high": "8.000"}
            row[f"{name}_wins"] = "" if model == "gray" else "0.6251"
        row |= dict.fromkeys(("lpips-alex", "lpips-alex_low", "lpips-alex_high"), "")
        rows.append(row | {"lpips-alex_wins": "", "seconds": "0.1000"} | told)
    with (folder / "quality.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_scores_come_from_the_results_and_only_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    makers = (pages.scores, pages.few_scores, pages.speed, pages.systems, pages.selective)
    for make in (*makers, pages.archive):
        assert make("") == ""
    gray = {"colourfulness": "0", "colourfulness-difference": "-41.70"}
    measured(tmp_path, gray=gray, mean={"psnr": "20.11"})
    written = pages.scores("").replace("|  |", "| |")
    assert "`recombine-256` on 1,500 photographs" in written
    assert "The originals' colourfulness is 41.7." in written
    assert "| PSNR ↑ | SSIM ↑ | CIEDE2000 ↓ |" in written
    assert "| gray | 7.000 (6.000 to 8.000) |" in written
    assert "| mean | 20.11 (6.000 to 8.000) |" in written
    assert written.rstrip().endswith("| 63% |")
    assert "| 0 | |" in written  # gray's colourfulness needs no interval
    assert "CIEDE2000 ↓ | LPIPS (AlexNet) ↓ |" in written
    assert written.count("not measured: [`autochrome verify`](acceptance.md#fill-the-tables)") == 2
    measured(tmp_path, gray={f"lpips-alex{end}": "0.2" for end in ("", "_low", "_high")})
    assert "| 0.2 (0.2 to 0.2) |" in pages.scores("")
    assert "not measured" not in pages.scores("")


def test_the_few_scores_are_of_the_best_and_the_worst(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    values = (("b", "9"), ("c", "10"), ("d", "8"), ("eccv16", "1"))  # which does not come along
    others = {name: {"ciede2000": value} for name, value in values}
    measured(tmp_path, gray={}, mean={}, autochrome={}, **others)
    written = pages.few_scores("")
    assert re.findall(r"^\| ([a-z]+) \|", written, re.MULTILINE) == [
        "gray", "mean", "autochrome", "d", "c"
    ]  # fmt: skip
    assert "`d` and `c` are the best and the worst of the 3 other models" in written


def test_a_card_has_every_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    drawing = ModelCard("drawing", "Drawing", "", "", "", 0, (), "", "", controls=(SEED,))
    plain = ModelCard("plain", "Plain", "", "", "", 0, (), "", "")
    assert model_cards._scores(plain) == []
    measured(tmp_path, gray={}, mean={}, drawing={"seconds": "0.4321"}, plain={})
    (tmp_path / "draws.csv").write_text("model,n,ciede2000,low,high\ndrawing,150,7.1,6,8.2\n")
    assert model_cards._scores(replace(drawing, name="other")) == []
    said = " ".join(model_cards._scores(drawing))
    every = "7.000 (6.000 to 8.000)"
    assert f"| SSIM ↑ | {every} | {every} | {every} | 63% |" in said
    assert "7.1 (6 to 8.2) CIEDE2000 apart, on 150 photographs" in said
    assert "It took 0.4321 s a photograph (median, a clock)." in said
    assert "| LPIPS (AlexNet) ↓ | not measured: `autochrome verify`, see below |" in said
    assert "Not measured: MS-SSIM, LPIPS (AlexNet), " in said
    assert "R² of a, R² of b, " in said
    assert "autochrome verify bundled trunks --photos DIR && " in said
    assert "apart" not in " ".join(model_cards._scores(plain))
    facts = model_cards._facts(drawing)
    assert f"| `seed` | {SEED.info} Values: a whole number from 0 to 9999; 0 unless set. |" in facts


@pytest.mark.parametrize("name", ["quality", "draws"])
def test_scores_are_of_the_weights_that_are_here(name: str) -> None:
    digests = {card.name: card.digest for card in cards(downloads=True)}
    digests |= {"gray": "", "mean": ""}
    rows = tables.results(name)
    assert rows
    stale = [row["model"] for row in rows if row["weights"] != digests[row["model"]]]
    assert stale == [], "evaluate them again"


def test_what_stands_between_no_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="models"):
        pages.refresh("docs/models.md", "# A page without marks")


def anchors(text: str) -> set[str]:
    """The names that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert target.resolve().is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def test_the_readme_leads_to_every_page() -> None:
    pages_of_docs = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", README)}
    assert pages_of_docs - linked == set()


def test_every_dependency_is_explained() -> None:
    text = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE))
    assert explained >= set(requirements())


def test_every_dependency_has_a_lower_and_an_upper_bound() -> None:
    assert [name for name, range in requirements().items() if not re.match(r">=.*,<", range)] == []


@pytest.mark.parametrize("needed", ["requirements.txt", "python app.py", "python -m pytest"])
def test_both_commands_are_single_lines(needed: str) -> None:
    commands = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    assert len(commands) == 2
    assert any(needed in command for command in commands)


def test_what_ci_types_is_the_second_command() -> None:
    command = "grep '^python3 -m venv ' README.md | sed -n 2p"
    assert command in (ROOT / ".ci/run").read_text(encoding="utf-8")
    typed = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, check=True)
    assert typed.stdout.decode().strip().endswith("-m pytest")

"""The README is what its generator writes, and says what the other files say."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from colorize_core.cards import SEED, ModelCard
from docs import model_cards, readme

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def without_times(text: str) -> str:
    return re.sub(r"\d+\.\d s\b", "0.0 s", text)


def requirements() -> dict[str, str]:
    """Package -> its range, of everything that requirements.txt lists."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [re.match(r"([A-Za-z0-9-]+)(.*)", line) for line in lines if line[:1] not in ("#", "")]
    return {match[1]: match[2] for match in found if match}


def front_matter() -> dict[str, str]:
    lines = README.split("---\n")[1].splitlines()
    return {key: value.strip(' "') for key, value in (line.split(":", 1) for line in lines)}


def test_tables_and_outputs_are_up_to_date() -> None:
    assert without_times(README) == without_times(readme.refresh(README)), (
        "run python -m docs.readme"
    )


def test_scores_come_from_the_results_and_only_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readme, "RESULTS", tmp_path)
    assert "Scores" not in readme.models("")
    assert readme.speed("") == ""
    assert readme.systems("") == ""
    assert readme.selective("") == ""
    (tmp_path / "quality.csv").write_text(
        "model,photos,protocol,n,psnr,psnr_low,psnr_high,colourfulness,colourfulness_low,"
        "colourfulness_high,commit\n"
        "gray,val.zip,recombine-256,7,20.111,19.5,21,0.1,0,0.2,abc\n"
        "truth,val.zip,recombine-256,7,100,100,100,41.7,40,43,abc\n"
    )
    written = readme.models("")
    assert "`recombine-256` on 7 photographs" in written
    assert "| | psnr | colourfulness |" in written.replace("|  |", "| |")
    assert "| gray | 20.11 (19.50 to 21.00) | 0.10 (0.00 to 0.20) |" in written
    assert "| truth |  | 41.70 (40.00 to 43.00) |" in written


def test_models_that_draw_have_a_table_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric = ",{0},{0}_low,{0}_high".format
    heading = "model,protocol,n" + metric("ciede2000") + metric("seed_ciede2000") + "\n"
    line = "{},recombine-256,{},{},{},{},{}\n".format
    (tmp_path / "quality.csv").write_text(
        heading + line("gray", 1500, 11, 10, 12, ",,") + line("plain", 1500, 9, 8, 10, ",,")
    )
    (tmp_path / "quality-sampled.csv").write_text(
        heading + line("gray", 150, 12, 11, 13, ",,") + line("drawing", 150, 10, 9, 11, "7,6,8")
    )
    monkeypatch.setattr(readme, "RESULTS", tmp_path)
    monkeypatch.setattr(readme, "cards", lambda: ())
    heading, first, second = readme.models("").replace("|  |", "| |").split("| | ciede2000 |")
    assert "on 1500 photographs" in heading
    assert "on 150 photographs" in first
    assert "| plain | 9.00 (8.00 to 10.00) |\n" in first
    assert "| drawing | 10.00 (9.00 to 11.00) |\n" in second

    drawing = ModelCard("drawing", "Drawing", "", "", "", 0, (), "", "", controls=(SEED,))
    plain = ModelCard("plain", "Plain", "", "", "", 0, (), "", "")
    assert [row["n"] for row in readme.scores_of(drawing)] == ["150", "150"]
    assert [row["n"] for row in readme.scores_of(plain)] == ["1500", "1500"]
    assert readme.scores_of(replace(drawing, name="other")) == []
    said = " ".join(model_cards._scores(drawing))
    assert "7.00 (6.00 to 8.00) CIEDE2000 apart" in said
    assert "150 photographs" in said
    assert "apart" not in " ".join(model_cards._scores(plain))
    facts = model_cards._facts(drawing)
    assert f"| `seed` | {SEED.info} Values: a whole number from 0 to 9999; 0 unless set. |" in facts


def test_what_stands_between_no_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="models"):
        readme.refresh("# A page without marks")


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert len(targets) >= 4
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_dependency_is_explained() -> None:
    explained = set(
        re.findall(r"^\| `([a-z-]+)` \|", README.split("## What each")[1], re.MULTILINE)
    )
    assert explained >= set(requirements())


def test_every_dependency_has_a_lower_and_an_upper_bound() -> None:
    assert [name for name, range in requirements().items() if not re.match(r">=.*,<", range)] == []


def test_the_front_matter_fits_a_space() -> None:
    said = front_matter()
    lowest = re.findall(r"\d+", requirements()["gradio"])
    assert said["sdk"] == "gradio"
    assert tuple(map(int, said["sdk_version"].split("."))) >= tuple(map(int, lowest[:2]))
    assert said["sdk_version"].split(".")[0] == lowest[0]
    assert (ROOT / said["app_file"]).is_file()
    assert len(said["short_description"]) <= 60
    assert said["license"] == "apache-2.0"


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

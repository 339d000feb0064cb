"""python -m colorize_core hub push, against a small Hub on this machine."""

import csv
import dataclasses
from pathlib import Path

import pytest
import torch
from hub_server import point_at, serving
from huggingface_hub import ModelCard, constants

import colorize_core
from colorize_core.cards import WeightFile
from colorize_core.cli import main
from colorize_core.downloads import checkpoints, push
from colorize_core.errors import OptionError
from colorize_core.models import autochrome, cnn
from colorize_core.networks.autochrome import Autochrome, AutochromeConfig
from colorize_core.networks.cnn import Cnn

# Of huggingface_hub's uploads by git-lfs, which are left where the Hub's own storage is not.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

REPO = "someone/cnn"
SMALL = AutochromeConfig(widths=(8, 16, 24), depths=(1, 1, 1), heads=2)


@pytest.fixture
def served(tmp_path, monkeypatch):
    (tmp_path / "hub").mkdir()
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    with serving(tmp_path / "hub", tmp_path / "cache", monkeypatch) as server:
        server.token = "hf_test"
        yield server


def run(capsys, *arguments):
    code = main(["hub", "push", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_without_a_yes_it_is_shown_and_nothing_is_sent(served, capsys):
    code, out, err = run(capsys, "cnn-mse", "--repo", REPO)
    assert (code, err) == (0, "")
    assert served.asked == []
    assert cnn.CARDS["cnn-mse"].weights[0].sha256 in out
    assert "model-index:" in out
    assert out.endswith("Nothing was sent. To upload it, add --yes.\n")


def test_what_is_uploaded_comes_back_as_the_same_network(served, capsys, load_model):
    code, out, _ = run(capsys, "cnn-mse", "--repo", REPO, "--yes")
    assert code == 0
    assert out == f"Uploaded: {served.url}/{REPO}/commit/0123456789abcdef0123456789abcdef01234567\n"
    assert [sorted(files) for files in served.commits] == [
        ["README.md", "config.json", "model.safetensors"]
    ]
    assert served.private == {REPO: False}
    path = checkpoints.find(
        WeightFile("model.safetensors", cnn.CARDS["cnn-mse"].weights[0].sha256, 0, REPO)
    )
    assert path.read_bytes() == checkpoints.find(cnn.CARDS["cnn-mse"].weights[0]).read_bytes()
    again = Cnn.from_pretrained(REPO)
    bundled = load_model("cnn-mse").network.state_dict()
    assert all(torch.equal(value, bundled[key]) for key, value in again.state_dict().items())


def test_its_card_has_the_scores_that_were_measured(served, capsys):
    run(capsys, "autochrome", "--repo", REPO, "--yes")
    text = (served.folder / REPO / "README.md").read_text(encoding="utf-8")
    card = ModelCard(text)
    with push.QUALITY.open(newline="", encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["model"] == "autochrome")
    found = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert len(found) > 5
    assert found == {name: float(row[name]) for name in found}
    assert {result.dataset_config for result in card.data.eval_results} == {row["protocol"]}
    assert card.data.license == "apache-2.0"
    written = (checkpoints.BUNDLED / "autochrome" / "README.md").read_text(encoding="utf-8")
    assert text.endswith(written.partition("\n# ")[2])


def test_scores_of_other_weights_are_left_out(served, capsys, tmp_path, monkeypatch):
    with push.QUALITY.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "quality.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(row | {"weights": "00000000"} for row in rows)
    monkeypatch.setattr(push, "QUALITY", tmp_path / "quality.csv")
    code, out, err = run(capsys, "cnn-mse", "--repo", REPO)
    assert code == 0
    assert "model-index" not in out
    assert "No scores were measured with these weights of cnn-mse." in err


@pytest.mark.parametrize("card", colorize_core.cards(), ids=lambda card: card.name)
def test_every_bundled_model_can_be_uploaded(card):
    files = {Path(file.path).name for file in card.weights}
    assert files <= {"model.safetensors", "encoder.safetensors"}
    assert set(push.collect_files(card)) == files | {"config.json", "README.md"}


def test_a_model_of_others_is_not_uploaded():
    theirs = dataclasses.replace(
        autochrome.CARD, weights=(WeightFile("a.bin", "", 0, "they/net"),), source="https://x.org"
    )
    with pytest.raises(OptionError, match=r"do not ship with the app.*https://x\.org"):
        push.collect_files(theirs)


def test_a_second_upload_goes_into_the_same_repository(served, capsys):
    for _ in range(2):
        assert run(capsys, "cnn-mse", "--repo", REPO, "--yes", "--private")[0] == 0
    assert len(served.commits) == 2
    assert served.private == {REPO: True}


@pytest.mark.parametrize(
    ("refuses", "words"),
    [
        ("/api/repos/create", "answered 403. Log in with `hf auth login`"),
        ("/api/models", "answered 403. Log in with `hf auth login`"),
        ("/lfs/", "could not be uploaded"),
    ],
)
def test_a_hub_that_refuses_is_quoted(served, capsys, refuses, words):
    served.refuses = refuses
    code, out, err = run(capsys, "cnn-mse", "--repo", REPO, "--yes")
    assert (code, out) == (1, "")
    assert f"{REPO} could not be uploaded to {served.url}" in err
    assert words in err
    assert served.commits == []


def test_a_wrong_token_is_said(served, capsys):
    served.token = "another"
    code, _, err = run(capsys, "cnn-mse", "--repo", REPO, "--yes")
    assert code == 1
    assert "answered 401. Log in with `hf auth login` and a token that may write to it" in err


def test_no_connection_is_said(served, capsys, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE forbids it" in run(capsys, "cnn-mse", "--repo", REPO, "--yes")[2]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    point_at(monkeypatch, "http://127.0.0.1:9")
    assert "Check the connection" in run(capsys, "cnn-mse", "--repo", REPO, "--yes")[2]


def test_wrong_usage_says_what_is_accepted(served, capsys):
    for arguments, words in (
        (["no-model", "--repo", REPO], "invalid choice: 'no-model'"),
        (["cnn-mse", "--repo", "cnn"], "Write OWNER/NAME."),
        (["cnn-mse", "--repo", "a b/c"], "Write OWNER/NAME."),
        (["cnn-mse"], "--repo"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["hub", "push", *arguments])
        assert ended.value.code == 2
        assert words in capsys.readouterr().err
    assert served.asked == []


def test_a_network_of_ones_own_is_pushed_by_the_mixin(served):
    network = Autochrome(SMALL)
    network.push_to_hub("someone/own")
    files = ["README.md", "config.json", "encoder.safetensors", "model.safetensors"]
    assert sorted(served.commits[0]) == files
    assert Autochrome.from_pretrained("someone/own").config == SMALL

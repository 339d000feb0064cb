"""python -m colorize_core weights, and the list of what can be downloaded."""

import builtins
import hashlib
import subprocess
import sys

import pytest
from hub_server import Fault, serving
from huggingface_hub import constants
from scenes import ROOT
from torchvision.models import get_weight

import colorize_core
from colorize_core.cards import WeightFile
from colorize_core.cli import main, weights
from colorize_core.downloads import catalogue, checkpoints, transfer
from colorize_core.downloads.catalogue import Download, from_hub
from colorize_core.metrics import METRICS, features, lpips
from colorize_core.models import cnn
from colorize_core.models.registry import tools
from colorize_core.selective import deeplab
from colorize_core.training.recipes import RECIPES, find

LARGE, TEXT, PICKLE = b"tensors" * 1000, b"{}", b"pickled" * 500


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A Hub, and a list of three: one bundled, one on the Hub, one at an address."""
    folder = tmp_path / "hub"
    digits = hashlib.sha256(PICKLE).hexdigest()[:8]
    contents = {
        "someone/net/config.json": TEXT,
        "someone/net/model.safetensors": LARGE,
        f"files/net-{digits}.pth": PICKLE,
    }
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    monkeypatch.setattr(transfer, "PAUSE", 0.01)
    with serving(folder, tmp_path / "cache", monkeypatch) as server:
        page = f"{server.url}/files/net-{digits}.pth"
        file = WeightFile(f"net-{digits}.pth", digits, len(PICKLE), address=page)
        names = {"config.json": 0, "model.safetensors": len(LARGE)}
        card = cnn.CARDS["cnn-mse"]
        there = (
            Download(card.name, card.title, card.licence, card.source, card.weights),
            from_hub("net", "A net", "mit", "someone/net", names),
            Download("old-net", "An old net", "bsd", page, (file,)),
        )
        monkeypatch.setattr(weights, "list_all", lambda: there)
        yield server


def run(capsys, *arguments):
    """Exit code, stdout, stderr without the progress bars."""
    code = main(["weights", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def states(capsys):
    lines = run(capsys, "list")[1].splitlines()
    column = lines[0].index("STATE"), lines[0].index("SIZE")
    return {line.split()[0]: line[slice(*column)].strip() for line in lines[1:]}


def test_files_are_listed_fetched_verified_and_removed(served, capsys, tmp_path):
    before = {"cnn-mse": "ships with the app", "net": "not here", "old-net": "not here"}
    assert states(capsys) == before
    code, out, _ = run(capsys, "fetch", "net", "old-net", "cnn-mse")
    assert code == 0
    assert "net: 7 kB, licence mit, https://huggingface.co/someone/net\n" in out
    assert "net: 2 files in " in out
    after = {"cnn-mse": "ships with the app", "net": "downloaded", "old-net": "downloaded"}
    assert states(capsys) == after
    asked = len(served.asked)
    assert run(capsys, "fetch", "net", "old-net")[0] == 0
    expected = "cnn-mse: 1 file whole\nnet: 2 files whole\nold-net: 1 file whole\n"
    assert run(capsys, "verify")[:2] == (0, expected)
    assert len(served.asked) == asked

    assert run(capsys, "remove", "net", "old-net", "--yes")[:2] == (0, "10.5 kB freed.\n")
    assert states(capsys) == before
    left = [p for p in (tmp_path / "cache").rglob("*") if p.is_file() and p.stat().st_size > 1000]
    assert left == []


def test_the_progress_is_shown(served, capsys):
    assert "model.safetensors: 100%" in run(capsys, "fetch", "net")[2]


def test_what_is_damaged_is_named_and_fetched_anew(served, capsys):
    run(capsys, "fetch", "net", "old-net")
    for each in weights.list_all()[1:]:
        checkpoints.find_local(each.files[-1]).resolve().write_bytes(b"rotten")
    code, out, err = run(capsys, "verify", "net", "old-net")
    assert (code, out) == (1, "")
    assert "model.safetensors is damaged. Download it anew with" in err
    assert "weights fetch old-net`" in err
    assert run(capsys, "fetch", "net", "old-net")[0] == 0
    assert run(capsys, "verify", "net", "old-net")[0] == 0


def test_damaged_and_missing_files_of_the_repository_are_named(
    served, capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path)
    assert states(capsys)["cnn-mse"] == "missing"
    code, _, err = run(capsys, "verify", "cnn-mse")
    assert code == 1
    assert "cnn-mse: 1 file missing. Restore it with `git checkout -- weights`." in err
    path = tmp_path / cnn.CARDS["cnn-mse"].weights[0].path
    path.parent.mkdir()
    path.write_bytes(b"rotten")
    assert "is damaged. Restore it" in run(capsys, "verify")[2]
    assert "restore it with `git checkout" in run(capsys, "fetch", "cnn-mse")[2]


def test_one_that_cannot_be_had_stops_no_other(served, capsys):
    served.faults = [None, Fault(401), None]
    code, out, err = run(capsys, "fetch", "net", "old-net")
    assert code == 1
    assert "answered 401" in err
    assert "old-net: 1 file in " in out
    assert states(capsys)["net"] == "partly here"


def test_offline_what_is_here_is_told_and_what_is_not_says_what_to_do(served, capsys, monkeypatch):
    run(capsys, "fetch", "net")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    code, out, err = run(capsys, "fetch", "cnn-mse", "net", "old-net")
    assert code == 1
    assert "cnn-mse: 1 file in" in out
    assert "net: 2 files in" in out
    assert "Unset HF_HUB_OFFLINE and try again, or copy net-" in err


def test_parts_of_stopped_downloads_are_listed_and_removed(served, capsys, monkeypatch):
    served.faults = [None, *[Fault(cut_after=3000), *[Fault(cut_after=0)] * 3]]
    monkeypatch.setattr(transfer, "CHUNK", 1000)
    run(capsys, "fetch", "net")
    assert states(capsys)["net"] == "partly here"
    assert run(capsys, "remove", "net", "--yes")[1] == "3 kB freed.\n"
    assert states(capsys)["net"] == "not here"


def test_nothing_is_deleted_without_a_yes(served, capsys, monkeypatch):
    run(capsys, "fetch", "net")
    asked = []
    for answer, code in (("", 1), ("n", 1), (EOFError(), 1), ("y", 0)):

        def reply(question, answer=answer):
            asked.append(question)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(builtins, "input", reply)
        assert run(capsys, "remove", "net")[0] == code
    assert asked == ["Delete 2 files, 7 kB? [y/N] "] * 4
    assert run(capsys, "remove", "net")[:2] == (0, "Nothing of it is in the caches.\n")


def test_what_ships_with_the_app_stays(served, capsys):
    code, _, err = run(capsys, "remove", "cnn-mse", "--yes")
    assert code == 1
    assert "cnn-mse: ships with the app and stays." in err
    assert checkpoints.find_local(cnn.CARDS["cnn-mse"].weights[0])


def test_content_that_another_revision_has_too_stays(served, capsys):
    run(capsys, "fetch", "net")
    pinned = WeightFile("model.safetensors", "", 0, "someone/net", "f" * 40)
    checkpoints.find(pinned)
    assert run(capsys, "remove", "net", "--yes")[1] == "2 B freed.\n"
    assert checkpoints.is_whole(pinned)


def test_wrong_usage_says_what_there_is(served, capsys):
    for arguments, words in (
        (["fetch", "nett"], "There is no nett. There are: cnn-mse, net, old-net."),
        (["fetch"], "required: NAME"),
        ([], "required: ACTION"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["weights", *arguments])
        assert ended.value.code == 2
        assert words in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(served, capsys, monkeypatch):
    def stop(file):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "find", stop)
    code, _, err = run(capsys, "fetch", "net")
    assert (code, err) == (130, "Stopped. The same command goes on from here.\n")


# --- the list -----------------------------------------------------------------------------------


def test_the_list_has_every_model_first_and_no_name_twice():
    names = [each.name for each in weights.list_all()]
    assert len(set(names)) == len(names)
    models = [card.name for card in colorize_core.cards()]
    assert names[: len(models)] == models
    assert all(each.licence and each.title and each.files for each in weights.list_all())
    assert all(
        each.source.startswith("https://") for each in weights.list_all() if not each.bundled
    )


def test_every_model_that_has_a_card_is_listed():
    names = {each.name for each in weights.list_all()}
    assert {card.name for card in (*colorize_core.cards(downloads=True), *tools())} <= names


def test_every_backbone_and_trunk_that_is_asked_for_is_listed():
    recipes = [find(name) for name in RECIPES]
    backbones = {name for each in recipes for name in getattr(each, "backbones", {}).values()}
    trunks = {metric.download for metric in METRICS if metric.download}
    assert {*backbones, *trunks, *lpips.NETS.values()} <= set(catalogue.DOWNLOADS)
    assert backbones


TORCHVISION = {
    "alexnet": "AlexNet_Weights.IMAGENET1K_V1",
    "vgg16": "VGG16_Weights.IMAGENET1K_V1",
    "squeezenet": "SqueezeNet1_1_Weights.IMAGENET1K_V1",
    "inception-v3": features.INCEPTION,
    **{f"deeplab-{name}": weights for name, (_, weights) in deeplab.WEIGHTS.items()},
}


@pytest.mark.parametrize("name", TORCHVISION)
def test_what_torchvision_loads_is_listed_as_it_is(name):
    published = get_weight(TORCHVISION[name])
    (file,) = catalogue.DOWNLOADS[name].files
    assert file.address == published.url
    assert file.sha256 in published.url
    assert len(file.sha256) == 8
    assert file.bytes == pytest.approx(published.meta["_file_size"] * 2**20, rel=0.01)


def test_listing_needs_no_torch():
    code = (
        "import sys; from colorize_core.cli import main; main(['weights', 'list']); "
        "print([name for name in ('torch', 'gradio', 'diffusers') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr

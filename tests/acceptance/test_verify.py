"""Acceptance, against a small Hub on this machine with a stand-in of each kind."""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import port_weights
import pytest
import tiny_diffusion
import torch
import torchvision
from hub_server import Fault, Hub, serving

from colorize_core.acceptance import checks, references, report, run
from colorize_core.acceptance.references import Reference
from colorize_core.acceptance.run import Acceptance, digest_photos
from colorize_core.acceptance.subjects import GROUPS, choose, list_subjects
from colorize_core.bundled import EXAMPLES
from colorize_core.cli import main
from colorize_core.downloads import transfer
from colorize_core.downloads.catalogue import DOWNLOADS, from_address
from colorize_core.errors import OptionError
from colorize_core.evaluate import picture_sets
from colorize_core.metrics import features, kid, lpips, sets
from colorize_core.models import ddcolor as family
from colorize_core.networks import ddcolor
from colorize_core.prompted import memory
from colorize_core.prompted.settings import PromptSettings

# NumPy 2 has a word for diffusers' UniPC, which reads a tensor as an array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

MODEL, TRUNK = "ddcolor-tiny", "squeezenet"
TRUNK_FILE = "squeezenet1_1-b8a52dc0.pth"
Rows = dict[tuple[str, str], dict[str, str]]
Ask = Callable[..., int]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Hub has: a small DDColor, SqueezeNet and Stable Diffusion, all untrained."""
    folder = tmp_path_factory.mktemp("published")
    tiny_diffusion.write_all(folder)
    (file,) = DOWNLOADS[MODEL].files
    (folder / file.repo).mkdir(parents=True)
    network = ddcolor.DDColor(port_weights.SMALL_DDCOLOR)
    tensors = port_weights.stand_ins(port_weights.shapes(network), 2**0.5)
    tensors["refine_net.0.0.weight_u"] /= 40  # colours are vivid then
    torch.save({"params": tensors}, folder / file.repo / file.path)
    torch.manual_seed(0)
    torch.save(torchvision.models.squeezenet1_1().state_dict(), folder / TRUNK_FILE)
    return folder


@pytest.fixture
def hub(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub that has it, a catalogue that says so, and small work."""
    shutil.copytree(published, tmp_path / "hub")
    (file,) = DOWNLOADS[MODEL].files
    file = replace(file, sha256=_hash(published / file.repo / file.path))
    monkeypatch.setitem(DOWNLOADS, MODEL, replace(DOWNLOADS[MODEL], files=(file,)))
    monkeypatch.setitem(family.CARDS, MODEL, replace(family.CARDS[MODEL], weights=(file,)))
    monkeypatch.setattr(ddcolor, "TINY", port_weights.SMALL_DDCOLOR)
    monkeypatch.setattr(references, "REFERENCES", {MODEL: (_refer(),)})
    monkeypatch.setattr(checks, "EXAMPLES", _examples(tmp_path / "examples"))
    monkeypatch.setattr(checks, "EARLIER", tmp_path / "earlier.csv")
    small = PromptSettings(side=64, steps=3, low=20, high=60, keep=False)
    monkeypatch.setattr(checks, "_settings", lambda subject: small)
    monkeypatch.setattr(memory, "measure_free", lambda device: 10**12)
    monkeypatch.setattr(transfer, "PAUSE", 0.001)
    monkeypatch.chdir(tmp_path)
    lpips._load.cache_clear()
    with serving(tmp_path / "hub", tmp_path / "cache", monkeypatch) as server:
        trunk = from_address(
            TRUNK,
            "SqueezeNet",
            "BSD",
            f"{server.url}/{TRUNK_FILE}",
            4_960_000,
            sha256=_hash(published / TRUNK_FILE),
        )
        monkeypatch.setitem(DOWNLOADS, TRUNK, trunk)
        yield server
    lpips._load.cache_clear()


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _refer() -> Reference:
    """What the small network gives, in the place of an original's values."""
    plain = replace(
        references.DDCOLOR,
        make=lambda: ddcolor.DDColor(port_weights.SMALL_DDCOLOR),
        expected={(0, 0): (0.0, 0.0)},
        largest=1.0,
    )
    network = plain.make().eval()
    network.load_state_dict(port_weights.stand_ins(port_weights.shapes(network)))
    with torch.inference_mode():
        found = plain.ask(network)
    values = {(0, 0): tuple(found[0, :, 0, 0].tolist())}
    return replace(plain, expected=values, largest=float(found.abs().max()))


def _examples(folder: Path) -> Path:
    folder.mkdir()
    for name in ("portrait-gray.jpg", "portrait-colour.jpg"):
        small = cv2.resize(cv2.imread(str(EXAMPLES / name)), (96, 96))
        cv2.imwrite(str(folder / name), small)
    return folder


def verify(*arguments: str) -> int:
    return main(["verify", *arguments, "--yes", "--device", "cpu"])


def rows(folder: str = "acceptance") -> Rows:
    with Path(folder, report.ROWS).open(newline="", encoding="utf-8") as file:
        return {(row["subject"], row["step"]): row for row in csv.DictReader(file)}


def outcomes() -> dict[tuple[str, str], str]:
    return {key: row["outcome"] for key, row in rows().items()}


# --- what passes ----------------------------------------------------------------------------------


def test_a_stand_in_of_each_kind_passes_and_is_not_done_again(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(MODEL, TRUNK, "sd15") == 0
    assert outcomes() == {
        (MODEL, "files"): "passed",
        (MODEL, "original"): "passed",
        (MODEL, "examples"): "passed",
        (TRUNK, "files"): "passed",
        (TRUNK, "loads"): "passed",
        ("sd15", "files"): "passed",
        ("sd15", "draws"): "passed",
    }
    said = rows()
    assert said[MODEL, "files"]["hashes"].endswith(DOWNLOADS[MODEL].files[0].sha256)
    assert said[MODEL, "examples"]["found"] == "loads and colours 1 example, no reference value"
    assert "lpips-squeeze 0.0000 of equal pictures" in said[TRUNK, "loads"]["found"]
    assert "torch " in said["sd15", "draws"]["versions"]
    pictures = {path.name for path in Path("acceptance/pictures").iterdir()}
    assert pictures == {f"{MODEL}-portrait-gray.jpg", "sd15.jpg"}
    page = Path("acceptance/report.html").read_text(encoding="utf-8")
    HTMLParser().feed(page)
    assert "7 passed, 0 failed, 0 skipped" in page
    assert "What to do" not in page
    assert "pictures/sd15.jpg" in page

    hub.asked.clear()
    capsys.readouterr()
    assert verify(MODEL, TRUNK, "sd15") == 0
    assert capsys.readouterr().out.count("passed before") == 7
    assert hub.asked == []


def test_sizes_come_first_and_without_a_yes_nothing_is_downloaded(
    hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr("builtins.input", lambda text: asked.append(text) or "n")
    assert main(["verify", MODEL, "sd15", "--device", "cpu"]) == 1
    said = capsys.readouterr().out
    assert asked == ["Download it? [y/N] "]
    assert "ddcolor-tiny      220 MB   Apache-2.0" in said
    assert "Together 3.82 GB." in said
    assert "Nothing was downloaded" in said
    assert hub.asked == []


def test_the_next_run_compares_with_what_was_merged(hub: Hub) -> None:
    assert verify(MODEL) == 0
    row = rows()[MODEL, "examples"]
    ((name, (a, b)),) = checks.parse_values(row["values"]).items()

    def keep(a: float) -> None:
        lines = f"model,weights,example,a,b\n{MODEL},{row['weights']},{name},{a},{b}\n"
        checks.EARLIER.write_text(lines)

    keep(float(a) + 0.5)
    assert verify(MODEL, "--out", "second") == 0
    assert "up to 0.50 Lab units off" in rows("second")[MODEL, "examples"]["found"]
    keep(float(a) + 1.5)
    assert verify(MODEL, "--out", "third") == 1
    found = rows("third")[MODEL, "examples"]
    assert found["outcome"] == "failed"
    assert "up to 1.50 Lab units off those of an earlier report" in found["found"]
    assert "weights verify" in found["remedy"]


# --- what fails -----------------------------------------------------------------------------------


def test_another_file_than_the_known_one_fails_and_the_rest_goes_on(hub: Hub) -> None:
    (file,) = DOWNLOADS[MODEL].files
    path = hub.folder / file.repo / file.path
    path.write_bytes(path.read_bytes() + b"!")
    assert verify(MODEL, TRUNK) == 1
    assert outcomes() == {
        (MODEL, "files"): "failed",
        (TRUNK, "files"): "passed",
        (TRUNK, "loads"): "passed",
    }
    row = rows()[MODEL, "files"]
    assert f"expected {file.sha256}" in row["found"]
    assert "open an issue with report.csv" in row["remedy"]
    page = Path("acceptance/report.html").read_text(encoding="utf-8")
    assert "<h2>What to do</h2>" in page


def test_a_file_that_is_not_there_fails(hub: Hub) -> None:
    (hub.folder / TRUNK_FILE).unlink()
    (file,) = DOWNLOADS[MODEL].files
    (hub.folder / file.repo / file.path).unlink()
    assert verify(MODEL, TRUNK) == 1
    assert outcomes() == {(MODEL, "files"): "failed", (TRUNK, "files"): "failed"}
    assert file.path in rows()[MODEL, "files"]["found"]
    assert "404" in rows()[TRUNK, "files"]["found"]


def test_a_network_that_is_cut_off_half_way_is_gone_on_with(hub: Hub) -> None:
    half = (hub.folder / TRUNK_FILE).stat().st_size // 2
    hub.faults = [Fault(cut_after=half), *[Fault(cut_after=0)] * transfer.TRIES]
    assert verify(TRUNK) == 1
    assert outcomes() == {(TRUNK, "files"): "failed"}
    assert "goes on from here" in rows()[TRUNK, "files"]["remedy"]
    hub.faults.clear()
    hub.ranges.clear()
    transfer._silent.clear()
    assert verify(TRUNK) == 0
    (asked,) = hub.ranges
    first = int(asked.strip("bytes=-"))
    assert half - transfer.CHUNK <= first <= half, "what was here is not sent again"
    assert set(outcomes().values()) == {"passed"}


def test_a_network_that_gives_other_values_than_its_original_fails(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ddcolor.DDColor.forward
    monkeypatch.setattr(
        ddcolor.DDColor, "forward", lambda self, photo: real(self, photo) * (1 + 1e-3)
    )
    assert verify(MODEL) == 1
    assert outcomes()[MODEL, "original"] == "failed"
    assert outcomes()[MODEL, "examples"] == "passed"
    row = rows()[MODEL, "original"]
    assert "of the largest value off github.com/piddnad/DDColor at 2adb63f" in row["found"]
    assert "computes other values here than its original" in row["remedy"]


def test_a_model_that_leaves_everything_gray_fails(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ddcolor.DDColor, "forward", lambda self, photo: 0 * photo[:, :2])
    assert verify(MODEL) == 1
    assert outcomes()[MODEL, "examples"] == "failed"
    assert "portrait-gray.jpg gray" in rows()[MODEL, "examples"]["found"]


def test_a_file_that_does_not_load_fails(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ddcolor, "TINY", replace(port_weights.SMALL_DDCOLOR, widths=(8, 8, 16, 24)))
    assert verify(MODEL) == 1
    assert outcomes()[MODEL, "examples"] == "failed"
    assert "is not one of DDColor tiny" in rows()[MODEL, "examples"]["found"]


def test_too_little_memory_is_left_out_and_says_what_is_needed(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "measure_free", lambda device: 10**9)
    assert verify("sd15") == 0
    assert outcomes() == {("sd15", "files"): "skipped"}
    assert "needs about" in rows()["sd15", "files"]["found"]
    assert "free are 1.0 GB" in rows()["sd15", "files"]["found"]
    assert hub.asked == []
    monkeypatch.setattr(memory, "measure_free", lambda device: 10**12)
    assert verify("sd15") == 0
    assert set(outcomes().values()) == {"passed"}


def test_weights_that_were_damaged_since_are_fetched_and_tried_again(hub: Hub) -> None:
    assert verify(TRUNK) == 0
    (path,) = Path("cache/torch").rglob(TRUNK_FILE)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    hub.asked.clear()
    assert verify(TRUNK) == 0
    assert f"GET {TRUNK_FILE}" in hub.asked


def test_what_was_stopped_is_reported_and_gone_on_with(
    hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checks, "load_trunk", stop)
        assert verify(TRUNK) == 130
    assert "2 passed" not in Path("acceptance/report.html").read_text(encoding="utf-8")
    assert outcomes() == {(TRUNK, "files"): "passed"}
    assert "The same command goes on from here." in capsys.readouterr().err
    assert verify(TRUNK) == 0
    assert capsys.readouterr().out.startswith(f"{TRUNK}, files: passed before\n")
    assert "2 passed" in Path("acceptance/report.html").read_text(encoding="utf-8")


# --- names and files ------------------------------------------------------------------------------


def test_subjects_are_all_that_a_person_may_want() -> None:
    names = [subject.name for subject in list_subjects()]
    assert len(set(names)) == len(names)
    assert {subject.group for subject in list_subjects()} == set(GROUPS)
    assert [subject.name for subject in choose(["trunks"])] == [
        "alexnet",
        "vgg16",
        "squeezenet",
        "inception-v3",
    ]
    assert "flux2-klein" not in [subject.name for subject in choose([])]
    assert len(choose([])) == len(names) - 1
    with pytest.raises(OptionError, match=r"no alex\. There are: bundled, published"):
        choose(["alex"])


def test_every_published_model_has_an_original_to_be_compared_with() -> None:
    assert set(references.REFERENCES) == {subject.name for subject in choose(["published"])}


def test_a_file_that_is_no_report_stays(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / report.ROWS).write_text("a,b\n1,2\n")
    with pytest.raises(SystemExit) as stopped:
        main(["verify", "sagan", "--out", str(tmp_path)])
    assert stopped.value.code == 2
    assert "is no report. Name another folder with --out." in capsys.readouterr().err
    assert (tmp_path / report.ROWS).read_text() == "a,b\n1,2\n"


# --- scores ---------------------------------------------------------------------------------------


@pytest.fixture
def album(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    (tmp_path / "album").mkdir()
    for number in range(3):
        blocks = random.integers(0, 256, (4, 4, 3), dtype=np.uint8).repeat(64, 0).repeat(64, 1)
        cv2.imwrite(str(tmp_path / "album" / f"{number}.png"), blocks)
    return tmp_path / "album"


def test_photographs_are_scored_by_the_trunks_that_are_named(
    hub: Hub, album: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [checks.METRICS[0], *(m for m in checks.METRICS if m.download)]
    monkeypatch.setattr("colorize_core.metrics.METRICS", tuple(few))
    told = (MODEL, TRUNK, "--photos", str(album), "--limit", "2")
    assert verify(*told) == 0
    row = rows()["photographs", "each picture"]
    assert row["found"] == "3 models on 2 photographs by 2 metrics"
    (path,) = Path("acceptance").glob("scores-*.csv")
    with path.open(newline="", encoding="utf-8") as file:
        scored = list(csv.DictReader(file))
    assert {(each["model"], bool(each["lpips-squeeze"])) for each in scored} == {
        ("gray", True),
        ("mean", True),
        (MODEL, True),
    }
    assert ("photographs", "all pictures together") not in rows(), "Inception was not named"
    capsys.readouterr()
    assert verify(*told) == 0
    assert "photographs, each picture: passed before" in capsys.readouterr().out
    assert verify(MODEL, TRUNK, "--photos", str(album), "--limit", "3") == 0
    assert "3 photographs" in rows()["photographs", "each picture"]["found"]
    assert len(list(Path("acceptance").glob("scores-*.csv"))) == 2, "others are not mixed in"


def test_models_that_failed_are_not_scored_and_trunks_that_did_are_said(
    hub: Hub, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [m for m in checks.METRICS if m.name in ("psnr", "lpips-squeeze")]
    monkeypatch.setattr("colorize_core.metrics.METRICS", tuple(few))
    (hub.folder / TRUNK_FILE).unlink()
    (file,) = DOWNLOADS[MODEL].files
    (hub.folder / file.repo / file.path).unlink()
    assert verify(MODEL, TRUNK, "--photos", str(album)) == 1
    row = rows()["photographs", "each picture"]
    assert row["outcome"] == "failed"
    assert row["found"].startswith("2 models on 3 photographs by 2 metrics; lpips-squeeze: The ")
    (path,) = Path("acceptance").glob("scores-*.csv")
    with path.open(newline="", encoding="utf-8") as file:
        assert {each["model"] for each in csv.DictReader(file) if each["psnr"]} == {"gray", "mean"}


def test_too_few_photographs_for_fid_are_said(
    hub: Hub, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colorize_core.metrics.METRICS", (checks.METRICS[0],))
    from colorize_core.training.data import find_photos

    work = Acceptance(report.Report(Path("acceptance")), "cpu", lambda line: None)
    work.score(find_photos([album]), 2, [], {"inception-v3"})
    row = rows()["photographs", "all pictures together"]
    assert row["outcome"] == "skipped"
    assert row["found"] == "FID and KID need 2,000 photographs; there are 3"
    assert not work.failed


def test_enough_photographs_are_scored_together_and_once(
    hub: Hub, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from colorize_core.training.data import find_photos

    for module in (features, sets, run):
        monkeypatch.setattr(module, "LEAST", 3)
    monkeypatch.setitem(kid.kid.__kwdefaults__, "size", 2)
    asked: list[str] = []

    def make_extractor(name: str, device: str) -> Callable[[list[Any]], Any]:
        asked.append(name)
        return lambda some: np.stack([each[::128, ::128].ravel() for each in some]) / 255

    monkeypatch.setattr(picture_sets, "make_extractor", make_extractor)
    monkeypatch.setattr("colorize_core.metrics.METRICS", (checks.METRICS[0],))
    for _ in range(2):
        work = Acceptance(report.Report(Path("acceptance")), "cpu", lambda line: None)
        work.score(find_photos([album]), 2, [], {"inception-v3"})
        assert not work.failed
    assert asked == [sets.INCEPTION]
    row = rows()["photographs", "all pictures together"]
    assert row["found"] == "2 models on 3 photographs by fid and kid"
    (path,) = Path("acceptance").glob("sets-*.csv")
    with path.open(newline="", encoding="utf-8") as file:
        found = [(each["model"], each["metric"]) for each in csv.DictReader(file)]
    assert found == [(model, name) for model in ("gray", "mean") for name in ("fid", "kid")]


@pytest.mark.parametrize(("blind", "outcome"), [(False, "passed"), (True, "failed")])
def test_inception_has_to_tell_pictures_apart(
    blind: bool, outcome: str, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    trunk = replace(DOWNLOADS[TRUNK], name="inception-v3")
    monkeypatch.setitem(DOWNLOADS, "inception-v3", trunk)

    def extract(pictures: list[Any], name: str, device: str) -> Any:
        assert name == sets.INCEPTION
        return np.stack([each.mean((0, 1)) * (not blind) for each in pictures])

    monkeypatch.setattr(features, "extract", extract)
    assert verify("inception-v3") == (outcome == "failed")
    row = rows()["inception-v3", "loads"]
    assert row["outcome"] == outcome
    assert row["found"] == "inception-v3-tv gives 3 features; no reference value"


def test_the_hash_of_photographs_knows_their_contents_and_not_their_folder(
    album: Path, tmp_path: Path
) -> None:
    from colorize_core.training.data import find_photos

    first = digest_photos(find_photos([album]))
    shutil.copytree(album, tmp_path / "other")
    assert digest_photos(find_photos([tmp_path / "other"])) == first
    (tmp_path / "other" / "1.png").write_bytes((album / "0.png").read_bytes())
    assert digest_photos(find_photos([tmp_path / "other"])) != first

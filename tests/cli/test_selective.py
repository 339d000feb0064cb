"""python -m colorize_core selective."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize_core.cli import main as whole
from colorize_core.cli import selective
from colorize_core.imaging import image
from colorize_core.selective import masks, segmenters
from colorize_core.selective.layers import Layer


@pytest.fixture
def folder(tmp_path, gray_scene, monkeypatch) -> Path:
    """The working folder, with photo.png, a bright disc before something darker."""
    Image.fromarray(gray_scene(120, 160)).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def left(folder) -> Path:
    """A mask of the left half."""
    mask = np.zeros((120, 160), np.float32)
    mask[:, :80] = 1
    masks.write_mask(folder / "left.png", mask)
    return folder / "left.png"


@pytest.fixture
def layers(monkeypatch):
    """DeepLabV3 finds a person on the left, a dog on the right and a small cat."""
    shapes = {name: np.zeros((120, 160), np.float32) for name in ("person", "dog", "cat")}
    shapes["person"][:, :60], shapes["dog"][:, 100:], shapes["cat"][:20, 70:90] = 1, 1, 1
    asked = []

    def classes(photo, *, network, device):
        asked.append(network)
        return tuple(Layer(name, mask, float(mask.mean())) for name, mask in shapes.items())

    monkeypatch.setattr(segmenters, "find_classes", classes)
    monkeypatch.setattr(segmenters, "count_missing_bytes", lambda network: 44_400_000)
    return asked


def pixels(path) -> np.ndarray:
    return image.read(path).pixels.astype(int)


def chroma(part) -> float:
    return float(np.ptp(part, axis=-1).mean())


def test_pages_that_are_left_out_are_said(folder, left, gray_scene, capsys):
    pages = [Image.fromarray(gray_scene(120, 160)) for _ in range(2)]
    pages[0].save(folder / "album.tif", save_all=True, append_images=pages[1:])
    assert whole(["selective", "album.tif", "--mask", "left.png", "--quiet"]) == 0
    said = "album.tif: The file holds 2 pictures: this is the first, the other one is left out.\n"
    assert capsys.readouterr().err == said


def test_a_mask_colours_its_part_and_leaves_the_rest_byte_for_byte(folder, left, capsys):
    assert whole(["selective", "photo.png", "--mask", "left.png"]) == 0
    assert capsys.readouterr().out == "50% of photo.png coloured into photo-selective.png.\n"
    before, after = pixels("photo.png"), pixels("photo-selective.png")
    assert np.array_equal(before[:, 80:], after[:, 80:])
    assert chroma(after[:, :80]) > 3


def test_outside_another_model_at_its_own_vividness(folder, left):
    told = ["photo.png", "--mask", "left.png", "--outside", "sagan", "--quiet"]
    assert selective.main([*told, "-o", "one.png"]) == 0
    assert selective.main([*told, "-o", "two.png", "--outside-vividness", "0"]) == 0
    one, two = pixels("one.png"), pixels("two.png")
    assert np.array_equal(one[:, :80], two[:, :80])
    assert chroma(one[:, 80:]) > 1.5 * chroma(two[:, 80:]) > 0
    assert selective.main([*told, "-o", "three.png", "--model", "se-unet", "--vividness", "2"]) == 0
    three = pixels("three.png")
    assert np.array_equal(one[:, 80:], three[:, 80:])
    assert not np.array_equal(one[:, :80], three[:, :80])


def test_a_colour_photo_is_gray_outside(folder, left):
    Image.fromarray(colourful()).save("colour.png")
    assert selective.main(["colour.png", "--mask", "left.png"]) == 0
    assert chroma(pixels("colour-selective.png")[:, 80:]) == 0


def colourful() -> np.ndarray:
    y, x = np.mgrid[:120, :160]
    return np.dstack([x, 255 - y, (2 * x + y) % 256]).astype(np.uint8)


@pytest.mark.parametrize("told", [[], ["--keep", "auto"], ["--box", "40,20,150,110"]])
def test_without_a_download(folder, told, capsys):
    told = ["photo.png", *told, "--mask-out", "mask.png", "--figure", "figure.png"]
    assert selective.main(told) == 0
    mask = masks.read_mask("mask.png")
    y, x = np.mgrid[:120, :160] / 160
    disc = (x - 0.5) ** 2 + (y - 0.4) ** 2 < 0.05
    assert (mask[disc] > 0.5).mean() > 0.8
    before, after = pixels("photo.png"), pixels("photo-selective.png")
    assert np.array_equal(before[mask == 0], after[mask == 0])
    assert pixels("figure.png").shape[1] > 4 * 160


def test_a_mask_that_was_kept_gives_the_same_again(folder):
    assert selective.main(["photo.png", "--mask-out", "mask.png", "-o", "one.png"]) == 0
    assert selective.main(["photo.png", "--mask", "mask.png", "-o", "two.png"]) == 0
    assert np.abs(pixels("one.png") - pixels("two.png")).max() <= 1  # a mask has 8 bits


def test_a_feather_softens_the_edge(folder, left):
    told = ["photo.png", "--mask", "left.png", "--feather", "10"]
    assert selective.main([*told, "--mask-out", "soft.png"]) == 0
    row = masks.read_mask("soft.png")[60]
    assert (np.diff(row) <= 0).all()
    assert 0.1 < row[84] < 0.4
    before, after = pixels("photo.png"), pixels("photo-selective.png")
    assert np.array_equal(before[:, 110:], after[:, 110:])


def test_classes_are_kept_by_name(folder, layers, capsys):
    told = ["photo.png", "--keep", "person, dog", "--network", "resnet101", "--mask-out", "m.png"]
    assert selective.main(told) == 0
    mask = masks.read_mask("m.png")
    assert mask[60, [10, 80, 150]].tolist() == [1, 0, 1]
    assert layers == ["resnet101"]
    assert "DeepLabV3 (resnet101) is downloaded once: 44.4 MB." in capsys.readouterr().err


def test_people_alone_need_no_download(folder, layers, capsys):
    assert selective.main(["photo.png", "--keep", "person", "--mask-out", "m.png"]) == 0
    assert selective.main(["photo.png", "--keep", "dog", "-o", "dog.png"]) == 0
    assert layers == ["people", "mobile"]
    assert masks.read_mask("m.png")[60, [10, 80]].tolist() == [1, 0]
    with pytest.raises(SystemExit):
        selective.main(["photo.png", "--keep", "person,dog", "--network", "people", "-o", "x.png"])
    assert "people finds no dog; mobile does" in capsys.readouterr().err


def test_sixteen_bits_and_other_formats(folder, left):
    fine = image.read("photo.png").pixels.astype(np.uint16) * 257 + 3
    image.write("fine.tif", image.Photo(fine, None, image.Metadata(), "TIFF"))
    assert selective.main(["fine.tif", "--mask", "left.png"]) == 0
    result = image.read("fine-selective.tif").pixels
    assert result.dtype == np.uint16
    assert np.array_equal(result[:, 80:], fine[:, 80:])
    Image.open("photo.png").save("photo.bmp")
    assert selective.main(["photo.bmp", "--mask", "left.png"]) == 0
    assert image.read("photo-selective.png").format == "PNG"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            ["--keep", "person,dgo"],
            r"no class 'dgo'. There are auto, or any of aeroplane, .*person",
        ),
        (["--keep", "auto,dog"], "no class 'auto'"),
        (["--keep", "sheep"], "found person (38%), dog (38%), cat"),
        (["--keep", "dog", "--box", "1,2,3,4"], "--box and --keep each say"),
        (["--box", "1,2,3"], "four numbers with commas"),
        (["--box", "500,2,600,9"], "covers nothing of the photo"),
        (["--mask", "small.png"], "20 × 10 pixels; for this photo it needs 160 × 120"),
        (["--feather", "-1"], "a number from 0 to 1280"),
        (["--outside", "nobody"], "autochrome"),
        (["--model", "nobody"], "autochrome"),
        (["--vividness", "3"], "vividness is 3, allowed is 0 to 2"),
        (["-o", "photo.png", "--overwrite"], "is the photo itself"),
        (["-o", "small.png"], "small.png exists"),
        (["-o", "result.bmp"], "ends in .jpg"),
        (["--device", "toaster"], "toaster"),
    ],
)
def test_wrong_usage_is_2_and_says_what_is_right(folder, layers, capsys, told, said):
    masks.write_mask("small.png", np.zeros((10, 20), np.float32))
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(SystemExit) as stop:
        selective.main(["photo.png", *told])
    assert stop.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert all(part in last for part in said.split(".*")), last
    assert {path.name for path in folder.iterdir()} == before


def test_files_that_cannot_be_used_are_1(folder, capsys):
    (folder / "notes.jpg").write_text("no picture")
    assert selective.main(["notes.jpg"]) == 1
    assert selective.main(["photo.png", "--mask", "notes.jpg"]) == 1
    assert selective.main(["photo.png", "--mask", "missing.png"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["notes.jpg", "notes.jpg", "missing.png"]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (["-o", "s.png", "--mask-out", "s.png"], "-o and --mask-out both name s.png"),
        (["-o", "s.png", "--mask-out", "./new/../s.png"], "-o and --mask-out both name s.png"),
        (["-o", "s.png", "--mask-out", "S.PNG"], "-o and --mask-out both name s.png"),
        (["-o", "s.png", "--figure", "s.png"], "-o and --figure both name s.png"),
        (["--mask-out", "m.png", "--figure", "m.png"], "--mask-out and --figure both name m.png"),
        (["--mask-out", "photo-selective.png"], "both name photo-selective.png"),
        (["-o", "one.png", "--figure", "two.png"], "both name one.png"),
        (["-o", "link.png", "--figure", "one.png"], "both name link.png"),
        (["--mask", "left.png", "--mask-out", "left.png"], "left.png is the mask itself"),
        (["--mask", "left.png", "-o", "left-link.png"], "left-link.png is the mask itself"),
        (["--figure", "photo.png"], "photo.png is the photo itself"),
        (["--mask-out", "m.jpg"], "m.jpg: choose a name that ends in .png."),
        (["-o", "folder.png"], "folder.png is a folder"),
        (["-o", "photo.png/s.png"], "photo.png is a file, not a folder"),
        (["--mask-out", "x" * 300 + ".png"], "File name too long"),
    ],
)
def test_impossible_outputs_are_refused_before_the_work(
    folder, left, capsys, monkeypatch, told, said
):
    (folder / "one.png").write_bytes(b"one")
    (folder / "two.png").hardlink_to(folder / "one.png")
    (folder / "link.png").symlink_to(folder / "one.png")
    (folder / "left-link.png").symlink_to(left)
    (folder / "folder.png").mkdir()
    before = {path: path.is_file() and path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(selective.image, "read", lambda path: pytest.fail("the work began"))
    try:
        code = selective.main(["photo.png", "--overwrite", *told])
    except SystemExit as stop:
        code = stop.code
    assert code in (1, 2)
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert {path: path.is_file() and path.read_bytes() for path in folder.iterdir()} == before


def test_a_photo_that_is_missing_is_one_sentence(folder, capsys):
    (folder / "there.png").write_bytes(b"")
    for told in (["nope.jpg"], ["nope.jpg", "-o", "there.png", "--overwrite"], ["x" * 300]):
        assert selective.main(told) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"{told[0]} cannot be read: ")


def test_names_that_a_person_gave_stay(folder, left):
    for name in ("Dr. Smith 1920", "Omas Hochzeit 12.5.1943", "x" * 251 + ".PNG"):
        (folder / name).write_bytes((folder / "photo.png").read_bytes())
        assert selective.main([name, "--mask", "left.png", "--model", "cnn-mse"]) == 0
    for name in ("Dr. Smith 1920", "Omas Hochzeit 12.5.1943"):
        assert (folder / f"{name}-selective.png").is_file()
    assert (folder / ("x" * 241 + "-selective.PNG")).is_file()


def test_a_result_may_go_into_a_new_folder(folder, left):
    told = ["photo.png", "--mask", "left.png", "--model", "cnn-mse", "-o", "new/a/s.png"]
    assert selective.main([*told, "--mask-out", "new/b/m.png"]) == 0
    assert (folder / "new/a/s.png").is_file()
    assert (folder / "new/b/m.png").is_file()


def test_results_are_replaced_only_with_overwrite(folder, left):
    told = ["photo.png", "--mask", "left.png", "-o", "out.png"]
    assert selective.main(told) == 0
    with pytest.raises(SystemExit):
        selective.main(told)
    assert selective.main([*told, "--overwrite"]) == 0


def test_help_has_examples_and_every_option(capsys):
    with pytest.raises(SystemExit) as stop:
        whole(["selective", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert text.count("python -m colorize_core selective ") >= 4
    assert all(name in text for name in segmenters.CLASSES)
    for action in selective.make_parser()._actions:
        assert all(option in text for option in action.option_strings)
        assert action.help, action.dest

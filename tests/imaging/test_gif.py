from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize_core.errors import BrokenPictureError, PictureTooLargeError
from colorize_core.imaging import gif, image
from tests import image_files as files


def with_blocks(blocks: bytes, data: bytes | None = None) -> bytes:
    """Blocks behind the header and its table of colours."""
    data = data or files.saved(files.colours()[..., 0], "GIF")
    place = 13 + (3 << ((data[10] & 7) + 1))
    return data[:place] + blocks + data[place:]


def comment(text: bytes) -> bytes:
    pieces = [text[i : i + 255] for i in range(0, len(text), 255)]
    return b"!\xfe" + b"".join(bytes((len(piece),)) + piece for piece in pieces) + b"\0"


def animation(**options: Any) -> bytes:
    frames = [Image.fromarray(files.colours(seed=seed)[..., 0]) for seed in range(4)]
    return files.saved(frames[0], "GIF", save_all=True, append_images=frames[1:], **options)


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_the_first_frame_is_read_and_the_others_are_counted(disposal: int) -> None:
    found = image.decode(animation(disposal=disposal))
    np.testing.assert_array_equal(found.pixels[..., 0], files.colours(seed=0)[..., 0])
    assert found.pages == 4
    assert "4 pictures" in found.describe_losses()


def test_a_frame_on_a_larger_screen() -> None:
    data = bytearray(files.saved(files.colours()[..., 0], "GIF", transparency=3))
    struct.pack_into("<HH", data, 6, 60, 50)
    with Image.open(files.io.BytesIO(bytes(data))) as reference:
        expected = np.asarray(reference.convert("RGBA"))
    found = image.decode(bytes(data))
    np.testing.assert_array_equal(found.pixels, expected[..., :3])
    np.testing.assert_array_equal(found.alpha, expected[..., 3])


@pytest.mark.parametrize("target", ["JPEG", "PNG", "TIFF"])
def test_comments_are_kept(target: str) -> None:
    text = "Łódź 1943 ".encode() * 60
    found = image.decode(with_blocks(comment(text)))
    assert found.metadata.comments == (text,)
    again = image.decode(image.encode(found, target)).metadata
    held = (*again.comments, *(each.encode() for _, each in again.texts), again.exif or b"")
    assert any(text in each for each in held)


@pytest.mark.parametrize(
    "blocks", [comment(b"a" * 5_000_000), comment(b"a") * 200_000], ids=["long", "many"]
)
def test_long_and_many_comments_cost_little(blocks: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = gif.Parts.add_comment
    monkeypatch.setattr(
        gif.Parts, "add_comment", lambda self, text: (seen.append(len(text)), real(self, text))[1]
    )
    found = image.decode(with_blocks(blocks))
    assert found.pixels.shape == (24, 37, 3)
    assert sum(seen) <= len(blocks)
    assert len(found.metadata.comments) <= 1000


def test_too_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gif, "MAX_BLOCKS", 100)
    with pytest.raises(PictureTooLargeError, match="more than 100 blocks"):
        image.decode(with_blocks(b"!\xfe" + b"\1a" * 101 + b"\0"))


def test_a_file_without_frames() -> None:
    data = files.saved(files.colours()[..., 0], "GIF")
    with pytest.raises(BrokenPictureError, match="no pixels"):
        image.decode(data[: 13 + (3 << ((data[10] & 7) + 1))] + b";")

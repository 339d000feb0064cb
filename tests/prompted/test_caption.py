"""Captions by the real classes of transformers, tiny and untrained, from a small Hub."""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hub_server import Hub, fetch, serving
from huggingface_hub import constants
from PIL import Image
from safetensors.torch import save
from scenes import scene
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
)

from colorize_core.downloads import checkpoints
from colorize_core.errors import Cancelled, TooLittleMemoryError, WeightsError
from colorize_core.prompted import caption as module
from colorize_core.prompted.caption import caption, drop_gray_words
from colorize_core.prompted.sources import CAPTIONER

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["a", "man", "woman", "house", "tree", "dog", "street", "in", "on", "with", "and", "of"]
VOCABULARY = [*SPECIAL, *WORDS, "[DEC]"]
PHOTO = scene(48, 40)


def write(folder: Path) -> None:
    """Text and pictures of a few numbers each, in the files that the Hub has."""
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    text = sizes | {
        "vocab_size": len(VOCABULARY),
        "encoder_hidden_size": 16,
        "num_hidden_layers": 2,
        "max_position_embeddings": 64,
        "bos_token_id": VOCABULARY.index("[DEC]"),
        "pad_token_id": 0,
        "sep_token_id": 3,
        "eos_token_id": 3,
        "initializer_range": 0.5,
    }
    vision = sizes | {"num_hidden_layers": 1, "image_size": 32, "patch_size": 8}
    network = BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=vision))
    network.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY))
    words = BertTokenizer(vocab=str(folder / "vocab.txt"))
    pictures = BlipImageProcessor(size={"height": 32, "width": 32})
    BlipProcessor(pictures, words).save_pretrained(folder)
    (folder / "processor_config.json").unlink()
    pictures.save_pretrained(folder)
    special = {name: f"[{name[:3].upper()}]" for name in ("pad_token", "unk_token", "sep_token")}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write(folder / CAPTIONER.repo)
    return folder


@pytest.fixture
def served(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(models, tmp_path / "cache", monkeypatch) as server:
        yield server


@pytest.fixture
def here(served: Hub, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The captioner in the Hub's cache of a machine that is offline."""
    fetch((CAPTIONER,))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return checkpoints.find_folder(CAPTIONER)


def test_a_caption_is_what_the_network_says(here: Path, models: Path, served: Hub) -> None:
    """The reference is transformers alone, called as its documentation says."""
    folder = models / CAPTIONER.repo
    processor = BlipProcessor.from_pretrained(folder)
    network = BlipForConditionalGeneration.from_pretrained(folder)
    inputs = processor(images=Image.fromarray(PHOTO), return_tensors="pt")
    written = network.generate(**inputs, max_new_tokens=30, num_beams=3)
    expected = processor.decode(written[0], skip_special_tokens=True)
    assert set(expected.split()) & set(VOCABULARY)
    asked = list(served.asked)
    found = caption(PHOTO, "cpu")
    assert found == drop_gray_words(expected)
    assert served.asked == asked
    assert caption(PHOTO.astype(np.uint16) * 257, "cpu") == found


def test_large_photos_are_shown_small() -> None:
    assert module._shrink(scene(1000, 2000)).size == (512, 256)
    assert module._shrink(scene(40, 30)).size == (30, 40)


def test_what_is_missing_is_named(served: Hub) -> None:
    with pytest.raises(WeightsError, match=r"Captioner BLIP is not.*990 MB, licence bsd-3-clause"):
        caption(PHOTO, "cpu")
    assert served.asked == []


def test_the_pinned_revision_is_asked_for(served: Hub) -> None:
    fetch((CAPTIONER,))
    assert served.revisions == {CAPTIONER.repo: CAPTIONER.revision}


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"broken", "cannot be loaded"), (save({"other": torch.zeros(1)}), "the weights lack")],
)
def test_damaged_weights_are_named(here: Path, content: bytes, words: str) -> None:
    file = here / "model.safetensors"
    file.unlink()
    file.write_bytes(content)
    with pytest.raises(WeightsError, match=words):
        caption(PHOTO, "cpu")


def test_a_stop_takes_effect_within_a_word(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, words = threading.Event(), []
    go_on = module._check_stop

    def counted(event: threading.Event) -> None:
        words.append(1)
        if len(words) == 3:
            event.set()
        go_on(event)

    monkeypatch.setattr(module, "_check_stop", counted)
    with pytest.raises(Cancelled):
        caption(PHOTO, "cpu", stop)
    assert len(words) == 3


def test_a_stop_before_it_begins_loads_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_load", lambda *_: pytest.fail("it was loaded"))
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        caption(PHOTO, "cpu", stop)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The networks that are loaded, held weakly."""
    seen: list[Any] = []
    load = module._load

    def noted(*arguments: Any) -> Any:
        processor, network = load(*arguments)
        seen.append(weakref.ref(network))
        return processor, network

    monkeypatch.setattr(module, "_load", noted)
    return seen


def test_the_network_is_freed(here: Path, loads: list[Any]) -> None:
    caption(PHOTO, "cpu")
    assert [ref() for ref in loads] == [None]


def test_memory_that_runs_out_is_explained(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(BlipForConditionalGeneration, "generate", fail)
    with pytest.raises(TooLittleMemoryError, match="ran out"):
        caption(PHOTO, "cpu")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("a black and white photo of a man in a suit", "a man in a suit"),
        ("an old photo of two women", "two women"),
        ("a vintage, black and white photograph of a street", "a street"),
        ("the image of a house", "a house"),
        ("black & white picture of  a dog ", "a dog"),
        ("a black and white portrait of a boy", "a portrait of a boy"),
        ("a man standing in the street in black and white", "a man standing in the street"),
        ("a black and white photo", ""),
        ("a black and white cow in a field", "a black and white cow in a field"),
        ("a man taking a photo of a dog", "a man taking a photo of a dog"),
        ("an old man", "an old man"),
        ("", ""),
    ],
)
def test_a_caption_does_not_ask_for_gray(said: str, kept: str) -> None:
    assert drop_gray_words(said) == kept

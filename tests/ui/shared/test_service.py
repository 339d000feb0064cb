"""What the app gives to take away says where its colours come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from colorize_core.imaging import image
from colorize_core.imaging.formats import CHOICES
from colorize_core.models.runner import Task
from colorize_core.options import Options
from colorize_core.steering.hints import Hint
from colorize_core.steering.provenance import read_options
from ui.shared.photo import OpenPhoto, PredictionCache
from ui.shared.service import Colorization, Service

SIZE = (90, 60)
OPTIONS = Options(
    vividness=1.1, hints=(Hint(0.5, 0.5, (20.0, 10.0), known=True, note="Letter, 1943"),)
)


def open_photo(service: Service, path: Path) -> OpenPhoto:
    there = service.folder.new(path.name)
    there.write_bytes(path.read_bytes())
    return service.photo(there)


@pytest.fixture
def result(service: Service, gray_photo: Path) -> Colorization:
    return service.colorize(open_photo(service, gray_photo), OPTIONS, Task())


def test_every_export_has_its_record_and_settings(service: Service, result: Colorization) -> None:
    for format in CHOICES:
        path = service.export(result, format, Task())
        record = image.read_record(path)
        assert record
        assert read_options(record) == OPTIONS
        assert path.stem == "old-colour"
        assert "Letter, 1943" in record.statement
        assert service.describe_losses(result, format) == ""
    assert image.read_record(result.before) is None


def test_a_mark_is_drawn_when_it_is_asked_for(service: Service, result: Colorization) -> None:
    plain = image.read(service.export(result, "PNG", Task())).pixels
    for format in CHOICES:
        marked = image.read(service.export(result, format, Task(), mark=True))
        assert marked.metadata.record
        assert marked.pixels.shape == plain.shape
    seen = image.read(service.export(result, "PNG", Task(), mark=True)).pixels
    rows, columns = np.nonzero((seen != plain).any(axis=2))
    assert rows.min() > SIZE[1] // 2
    assert columns.min() > SIZE[0] // 3


def test_without_colours_there_is_nothing_to_say(service: Service, gray_photo: Path) -> None:
    photo = open_photo(service, gray_photo)
    result = service.colorize(photo, Options(strength=0.0), Task())
    path = service.export(result, "PNG", Task(), mark=True)
    found = image.read(path)
    assert found.metadata.record is None
    assert np.array_equal(found.pixels, photo.pixels), "no mark either"


def test_a_result_put_in_again_has_the_new_record_alone(
    service: Service, result: Colorization
) -> None:
    photo = open_photo(service, service.export(result, "PNG", Task()))
    again = service.colorize(photo, Options("student", vividness=0.5), Task())
    assert image.read_record(again.before) is None
    record = image.read_record(service.export(again, "JPEG", Task()))
    assert record
    assert [name for name, _ in record.models] == ["student"]
    assert record.hints == ()


def test_predictions_are_forgotten_beyond_a_number_and_made_again(
    service: Service, gray_photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.predictions = PredictionCache(most=2)
    photo = open_photo(service, gray_photo)
    made = [service.steer(photo, Options(gain=gain), Task()) for gain in (0.6, 0.8, 1.0)]
    assert len(service.predictions._known) == 2
    asked = []
    predict = service.runner.predict
    monkeypatch.setattr(
        service.runner, "predict", lambda *given: asked.append(given[1].gain) or predict(*given)
    )
    small = photo.shrink(30, 45)
    assert np.array_equal(service.preview(made[2], small), service.preview(made[2], small))
    assert asked == []
    service.preview(made[0], small)
    assert asked == [0.6], "it was forgotten"


def test_predictions_go_with_their_photo(service: Service, gray_photo: Path) -> None:
    photo = open_photo(service, gray_photo)
    service.steer(photo, Options(), Task())
    service.forget()
    assert len(service.predictions._known) == 1
    photo.path.unlink()
    service.forget()
    assert len(service.predictions._known) == 0

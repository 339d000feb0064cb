"""What published networks compute in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import port_weights
import pytest
import torch
from torch import nn

from colorize_core import devices
from colorize_core.metrics.ciede2000 import ciede2000
from colorize_core.models.registry import cards

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "avx2": True}, torch.float32),
        ({"architecture": "aarch64"}, torch.float32),
    ],
)
def test_a_cpu_computes_in_bfloat16_only_if_it_has_instructions_for_it(
    told: dict[str, Any], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert devices.choose_precision(CPU) == expected
    assert devices.choose_precision(torch.device("cuda")) == torch.float32


def test_an_older_torch_does_not_tell_so_the_cpu_computes_in_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert devices.choose_precision(CPU) == torch.float32


@pytest.mark.parametrize("name", [c.name for c in cards(downloads=True) if c.download])
def test_bfloat16_gives_colours_that_look_the_same(
    name: str, tmp_path: Path, gray_scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def colours(dtype: torch.dtype) -> tuple[Any, Any]:
        monkeypatch.setattr(devices, "choose_precision", lambda device: dtype)
        model = port_weights.see_less(port_weights.small_model(name, tmp_path), 256)
        return model, model.colorize(photo)

    photo = gray_scene(96, 128)
    half, quick = colours(torch.bfloat16)
    whole, exact = colours(torch.float32)
    norms = [m for m in half.network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {p.dtype for norm in norms for p in norm.parameters()} == {torch.float32}
    assert torch.bfloat16 in {p.dtype for p in half.network.parameters()}
    assert {p.dtype for p in whole.network.parameters()} == {torch.float32}
    # A difference of 1 is just noticeable.
    assert ciede2000(quick, exact) < 0.5 < 5 < ciede2000(exact, photo)

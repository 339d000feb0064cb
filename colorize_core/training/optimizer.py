"""Muon for the kernels inside a network and AdamW for the rest, as one optimizer.

Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/) makes every update of a
matrix orthogonal, so that no direction of it is left behind. Its steps are scaled as in "Muon is
Scalable for LLM Training" (arXiv 2502.16982), so that one learning rate serves both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Muon


class MuonAdamW(torch.optim.Optimizer):
    """`outer`: prefixes of the parameters' names that stay with AdamW, the first and last layers of
    a network. Biases, norms and depthwise kernels always do."""

    def __init__(
        self, network: nn.Module, lr: float, weight_decay: float, outer: Iterable[str] = ()
    ) -> None:
        named = list(network.named_parameters())
        inner = [p for name, p in named if _is_matrix(p) and not name.startswith(tuple(outer))]
        ours = set(map(id, inner))
        heavy = [p for _, p in named if p.ndim > 1 and id(p) not in ours]
        light = [p for _, p in named if p.ndim <= 1]
        super().__init__(
            [
                {"params": inner, "weight_decay": weight_decay},
                {"params": heavy, "weight_decay": weight_decay},
                {"params": light, "weight_decay": 0.0},
            ],
            {"lr": lr},
        )
        # torch's Muon takes matrices only: it gets views that share the kernels' memory.
        self.matrices = [nn.Parameter(_matrix(p, p).detach()) for p in inner]
        self.muon = Muon(
            self.matrices, lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
        )
        self.adamw = AdamW([dict(group) for group in self.param_groups[1:]], lr)

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        kernels, *others = self.param_groups
        for kernel, matrix in zip(kernels["params"], self.matrices, strict=True):
            matrix.grad = None if kernel.grad is None else _matrix(kernel.grad, kernel)
        inside = self.muon.param_groups + self.adamw.param_groups
        for group, outside in zip(inside, [kernels, *others], strict=True):
            group["lr"] = outside["lr"]
        self.muon.step()
        self.adamw.step()

    def state_dict(self) -> dict[str, Any]:
        return {"muon": self.muon.state_dict(), "adamw": self.adamw.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.muon.load_state_dict(state_dict["muon"])
        self.adamw.load_state_dict(state_dict["adamw"])


def _is_matrix(parameter: Tensor) -> bool:
    return parameter.ndim in (2, 4) and parameter.shape[1] > 1


def _matrix(tensor: Tensor, kernel: Tensor) -> Tensor:
    """(out, ...) -> (out, inputs): a view where `tensor` lies in memory as `kernel` does."""
    if kernel.ndim == 4 and kernel.is_contiguous(memory_format=torch.channels_last):
        tensor = tensor.permute(0, 2, 3, 1)
    return tensor.flatten(1)

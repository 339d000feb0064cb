"""Muon for the kernels inside a network and AdamW for the rest, as one optimizer.

Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/) makes every update of a
matrix orthogonal, so that no direction of it is left behind. Its steps are scaled as in "Muon is
Scalable for LLM Training" (arXiv 2502.16982), so that one learning rate serves both.

torch.optim has a Muon, too. It computes in bfloat16 everywhere, which on a CPU without instructions
for that takes some thirty times as long as float32, and longer than the network: so it is here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from colorize_core import devices

MOMENTUM = 0.95
ITERATIONS = 5  # of Newton and Schulz, with the coefficients of Jordan et al.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class MuonAdamW(torch.optim.Optimizer):
    """`outer`: prefixes of the parameters' names that stay with AdamW, the first and last layers of
    a network. Biases, norms and depthwise kernels always do. `pretrained`: a prefix of parameters
    that are only to be tuned, by AdamW at `pretrained_lr`."""

    def __init__(
        self,
        network: nn.Module,
        lr: float,
        weight_decay: float,
        outer: Iterable[str] = (),
        pretrained: str | None = None,
        pretrained_lr: float = 3e-4,
    ) -> None:
        every = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
        tuned = [p for name, p in every if pretrained and name.startswith(pretrained)]
        named = [(name, p) for name, p in every if not (pretrained and name.startswith(pretrained))]
        inner = [p for name, p in named if _is_matrix(p) and not name.startswith(tuple(outer))]
        ours = set(map(id, inner))
        heavy = [p for _, p in named if p.ndim > 1 and id(p) not in ours]
        light = [p for _, p in named if p.ndim <= 1]
        super().__init__(
            [
                {"params": inner, "weight_decay": weight_decay},
                {"params": heavy, "weight_decay": weight_decay},
                {"params": light, "weight_decay": 0.0},
                *([{"params": tuned, "weight_decay": 0.0, "lr": pretrained_lr}] if tuned else []),
            ],
            {"lr": lr},
        )
        self.adamw = AdamW([dict(group) for group in self.param_groups[1:]], lr)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        kernels, *others = self.param_groups
        for kernel in kernels["params"]:
            if kernel.grad is not None:
                self._turn(kernel, kernel.grad, kernels["lr"], kernels["weight_decay"])
        for group, outside in zip(self.adamw.param_groups, others, strict=True):
            group["lr"] = outside["lr"]
        self.adamw.step()

    def _turn(self, kernel: Tensor, grad: Tensor, lr: float, weight_decay: float) -> None:
        state = self.state[kernel]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(kernel)
        mean = state["momentum_buffer"]
        mean.lerp_(grad, 1 - MOMENTUM)
        ahead = _view_matrix(grad.lerp(mean, MOMENTUM), kernel)  # Nesterov's
        scale = 0.2 * math.sqrt(max(ahead.shape))
        kernel.mul_(1 - lr * weight_decay)
        _view_matrix(kernel, kernel).add_(orthogonalize(ahead), alpha=-lr * scale)

    def state_dict(self) -> dict[str, Any]:
        return {"muon": super().state_dict(), "adamw": self.adamw.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict["muon"])
        self.adamw.load_state_dict(state_dict["adamw"])


def orthogonalize(matrix: Tensor) -> Tensor:
    """About the nearest matrix whose singular values are all 1: all but the smallest end between
    0.7 and 1.2."""
    on_cpu = matrix.device.type == "cpu"
    x = matrix.to(devices.choose_precision(matrix.device) if on_cpu else torch.bfloat16)
    x = x.T if x.shape[0] > x.shape[1] else x
    x = x / x.norm().clamp(min=1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.T if matrix.shape[0] > matrix.shape[1] else x).to(matrix.dtype)


def _is_matrix(parameter: Tensor) -> bool:
    return parameter.ndim in (2, 4) and parameter.shape[1] > 1


def _view_matrix(tensor: Tensor, kernel: Tensor) -> Tensor:
    """(out, ...) -> (out, inputs): a view where `tensor` lies in memory as `kernel` does."""
    if kernel.ndim == 4 and kernel.is_contiguous(memory_format=torch.channels_last):
        tensor = tensor.permute(0, 2, 3, 1)
    return tensor.flatten(1)

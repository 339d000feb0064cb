"""Simulated colour hints, so that one network learns both automatic and guided colorization."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

MOST_POINTS = 24


def recolour_objects(lab: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Give one region of some photographs another colour, so that hints must be obeyed rather than
    merely confirm what the network expects.

    lab (N, 3, H, W); `share`: expected share of the photographs. A region is what resembles the
    colour at a random point and is not far from it. -> (lab, points (N, 2) as row and column).
    """
    n, _, h, w = lab.shape
    device = lab.device
    rows, cols = torch.randint(h, (n,), device=device), torch.randint(w, (n,), device=device)
    here = lab[torch.arange(n, device=device), :, rows, cols].view(n, 3, 1, 1)
    unlike_l, unlike_ab = (lab - here).square().split((1, 2), dim=1)
    unlike = (unlike_ab.sum(1) + 0.15 * unlike_l[:, 0]).sqrt()
    y = torch.arange(h, device=device).view(1, h, 1) - rows.view(n, 1, 1)
    x = torch.arange(w, device=device).view(1, 1, w) - cols.view(n, 1, 1)
    size = h * (0.3 + 0.9 * torch.rand(n, 1, 1, device=device))
    far = torch.hypot(y.float(), x.float()) / size
    region = torch.sigmoid((12 - unlike) / 2) * torch.sigmoid((1 - far) * 8)
    hue = 2 * torch.pi * torch.rand(n, device=device)
    chroma = 20 + 50 * torch.rand(n, device=device)
    shift = torch.stack([hue.cos(), hue.sin()], 1) * chroma[:, None]
    # Very dark and very bright pixels can hold little chroma.
    room = (4.8 * (lab[:, 0] / 100) * (1 - lab[:, 0] / 100)).clamp(0, 1)
    chosen = (torch.rand(n, device=device) < share).view(n, 1, 1)
    ab = lab[:, 1:] + shift.view(n, 2, 1, 1) * (region * room * chosen)[:, None]
    return torch.cat([lab[:, :1], ab.clamp(-105, 105)], 1), torch.stack([rows, cols], 1)


def simulate_hints(ab: Tensor, first: Tensor, hinted_share: float) -> tuple[Tensor, Tensor]:
    """Reveal ab at a few random places, as small squares of one colour each.

    ab (N, 2, H, W); `first` (N, 2): row and column of the first point; `hinted_share`: share of the
    photographs that get hints at all. -> (hint_ab (N, 2, H, W), hint_mask (N, 1, H, W)).
    """
    n, _, h, w = ab.shape
    device = ab.device
    # Mostly one to three points, sometimes many.
    count = (1 + torch.rand(n, device=device) ** 4 * MOST_POINTS).long()
    count = torch.where(torch.rand(n, device=device) < hinted_share, count, 0)
    rows = torch.randint(h, (n, MOST_POINTS), device=device)
    cols = torch.randint(w, (n, MOST_POINTS), device=device)
    rows[:, 0], cols[:, 0] = first.unbind(1)
    active = torch.arange(MOST_POINTS, device=device)[None] < count[:, None]
    sample = torch.arange(n, device=device)[:, None].expand_as(rows)
    points = torch.zeros(n, h, w, device=device)
    points[sample[active], rows[active], cols[active]] = 1.0
    points = points[:, None]
    radius = torch.randint(4, (n, 1, 1, 1), device=device)
    hint_ab, hint_mask = torch.zeros_like(ab), torch.zeros_like(points)
    for r in range(4):
        size = 2 * r + 1
        near = F.avg_pool2d(points, size, 1, r)
        colour = F.avg_pool2d(ab * points, size, 1, r) / near.clamp_min(1e-6)
        mine = (near > 1e-6) & (radius == r)
        hint_ab = torch.where(mine, colour, hint_ab)
        hint_mask = torch.where(mine, 1.0, hint_mask)
    return hint_ab, hint_mask

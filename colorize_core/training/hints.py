"""Simulated colour hints, so that one network learns both automatic and guided colorization."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

MOST_POINTS = 24
MOST_OBJECT = 0.5  # share of the photograph that an object may fill


def recolour_objects(lab: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Give one object of some photographs another colour, so that hints must be obeyed rather than
    merely confirm what the network expects.

    lab (N, 3, H, W), H and W multiples of 4; `share`: share of the photographs. An object is what
    resembles the colour and the lightness at a random point and is connected with it; where that
    is most of the photograph, nothing is recoloured. -> (lab, points (N, 2) as row and column).
    """
    n, _, h, w = lab.shape
    device = lab.device
    each = torch.arange(n, device=device)
    rows, cols = torch.randint(h, (n,), device=device), torch.randint(w, (n,), device=device)
    small = F.avg_pool2d(lab, 4)
    here = small[each, :, rows // 4, cols // 4].view(n, 3, 1, 1)
    most = 6 + 6 * torch.rand(n, 1, 1, 1, device=device)  # how unlike still belongs to it
    alike = _measure_likeness(small, here, most)
    reached = torch.zeros_like(alike)
    reached[each, 0, rows // 4, cols // 4] = 1
    for _ in range((h + w) // 4):
        reached = torch.minimum(alike, F.max_pool2d(reached, 3, 1, 1))
    region = F.interpolate(reached, scale_factor=4.0, mode="bilinear", align_corners=False)
    region = region * _measure_likeness(lab, here, most)
    chosen = (torch.rand(n, device=device) < share) & (region.mean((1, 2, 3)) < MOST_OBJECT)
    hue = 2 * torch.pi * torch.rand(n, device=device)
    chroma = 20 + 50 * torch.rand(n, device=device)
    shift = torch.stack([hue.cos(), hue.sin()], 1) * chroma[:, None]
    # Very dark and very bright pixels can hold little chroma.
    room = (4.8 * (lab[:, :1] / 100) * (1 - lab[:, :1] / 100)).clamp(0, 1)
    ab = lab[:, 1:] + shift.view(n, 2, 1, 1) * region * room * chosen.view(n, 1, 1, 1)
    return torch.cat([lab[:, :1], ab.clamp(-105, 105)], 1), torch.stack([rows, cols], 1)


def _measure_likeness(lab: Tensor, here: Tensor, most: Tensor) -> Tensor:
    """Lab (N, 3, h, w) and one colour each (N, 3, 1, 1) -> (N, 1, h, w): 1 where they are alike,
    0 where they differ by more than `most`, Lab units of ab; L counts a third."""
    unlike_l, unlike_ab = (lab - here).square().split((1, 2), dim=1)
    unlike = (unlike_ab.sum(1, keepdim=True) + 0.1 * unlike_l).sqrt()
    return torch.sigmoid((most - unlike) / 1.5)


def simulate_hints(ab: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
    """Reveal ab at a few random places, as small squares of one colour each.

    ab (N, 2, H, W); `first` (N, 2): row and column of the first point.
    -> (hint_ab (N, 2, H, W), hint_mask (N, 1, H, W)).
    """
    n, _, h, w = ab.shape
    device = ab.device
    # Mostly one to three points, sometimes many.
    count = (1 + torch.rand(n, device=device) ** 4 * MOST_POINTS).long()
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

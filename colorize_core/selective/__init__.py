"""Masks, and pictures that are in colour only inside them."""

from __future__ import annotations

from colorize_core.selective.automatic import Layer, classes, grabcut, pointed
from colorize_core.selective.blending import Region, blend, compose, figure
from colorize_core.selective.masks import (
    Mask,
    feathered,
    filled,
    grown,
    inverted,
    painted,
    read_mask,
    refined,
    snapped,
    write_mask,
)

__all__ = [
    "Layer",
    "Mask",
    "Region",
    "blend",
    "classes",
    "compose",
    "feathered",
    "figure",
    "filled",
    "grabcut",
    "grown",
    "inverted",
    "painted",
    "pointed",
    "read_mask",
    "refined",
    "snapped",
    "write_mask",
]

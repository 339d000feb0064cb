"""The colorizer of a network that tells for each cell how likely each colour is: with a closer look
at people, the colours of skin, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colorize_core.cards import AUTO_VIVIDNESS, NATURAL_SKIN
from colorize_core.errors import OptionError
from colorize_core.imaging import chroma
from colorize_core.imaging.color import lab_to_rgb_in_gamut, rgb_to_lab
from colorize_core.imaging.resampling import resize
from colorize_core.metrics.colourfulness import colourfulness
from colorize_core.models import skin as skin_model
from colorize_core.models.base import (
    AbColorizer,
    AbLayer,
    FittedPhoto,
    Prediction,
    Report,
    as_planes,
)
from colorize_core.models.distribution import Distribution
from colorize_core.models.hints import Reach, find_reach
from colorize_core.models.regions import (
    choose,
    find_open_regions,
    find_regions,
    make_questions,
    make_region,
)
from colorize_core.options import VARIANTS, check, check_variant
from colorize_core.people.faces import Face, find_faces
from colorize_core.people.skin import PlacedDistribution, SkinLayer, colour_skin, find_skin
from colorize_core.people.windows import Rectangle, frame_people, snap
from colorize_core.steering.hints import Hint
from colorize_core.steering.questions import Question
from colorize_core.steering.reference import Floats, Reference, match, pick_hints

MUTED = 25.0  # colourfulness under which vividness is raised
MOST_BOOST = 1.5  # share by which it is where there is no colour at all
CLOSE = 0.7  # how much a closer look counts beside the look at the whole photo
POSSIBLE = 0.01  # share of a cell's distribution that must be near a colour of a reference
ON_SKIN = 0.3  # share of skin at a hint from which it is a hint for skin
MARGIN = 0.12  # share of a window's side within which it fades out


@dataclass(frozen=True)
class WindowLayer:
    """What a closer look at a part of the photo says, over what was there."""

    told: PlacedDistribution
    fine_l: chroma.Floats  # of the place
    weight: chroma.Floats  # in [0, 1], falling towards the edges inside the photo

    def apply_to(self, ab: chroma.Floats, vividness: float) -> chroma.Floats:
        told, place = self.told, self.told.place
        close = as_planes(told.distribution(vividness))
        fine = chroma.sharpen_ab(close, told.coarse_l, self.fine_l, told.cells)
        result = ab.copy()
        under = result[place.top : place.bottom, place.left : place.right]
        under += (fine - under) * self.weight[..., None]
        return result


@dataclass(frozen=True)
class HintLayer:
    """What colour hints change, over all else: the network's answer near them, and their own
    colours where it leaves them short."""

    free: Distribution
    guided: Distribution
    reach: Reach
    coarse_l: chroma.Floats
    fine_l: chroma.Floats
    cells: tuple[float, float]
    hints: tuple[Hint, ...]
    kept: chroma.Floats | None = None  # (H, W), 1 where nothing changes
    own: bool = False  # a variant's, not of hints that were given

    def apply_to(self, ab: chroma.Floats, vividness: float) -> chroma.Floats:
        answer = (self.guided(vividness) - self.free(vividness)) * self.reach.near
        coarse = as_planes(torch.cat([answer, self.reach.colour, self.reach.fill], 1))
        fine = chroma.sharpen_ab(coarse, self.coarse_l, self.fine_l, self.cells)
        answered = ab + fine[..., :2]
        result = answered + (fine[..., 2:4] - answered) * fine[..., 4:]
        if self.kept is None:
            return result
        return result + (ab - result) * self.kept[..., None]


@dataclass(frozen=True)
class Variant:
    """One way to colour a photo."""

    prediction: Prediction
    hints: tuple[Hint, ...]  # what makes it other than predict()'s
    score: float  # how likely it is: 0 for predict()'s, less for others


class ClassifyingColorizer(AbColorizer):
    """Its predict_ab gives Distributions, and its card has the controls AUTO_VIVIDNESS and
    NATURAL_SKIN."""

    _reference: tuple[str, Floats, Floats] | None = None  # the last one's digest, and what is known

    @cached_property
    def _skin(self) -> Any:
        return skin_model.load(self.device)

    @torch.inference_mode()
    def guide(
        self,
        image: chroma.Picture,
        prediction: Prediction,
        hints: Sequence[Hint],
        *,
        gain: float = 1.0,
        neutralize: bool = True,
    ) -> Prediction:
        """What predict() would give with these hints, from what it gave for the same photo and
        options with others or none: only what depends on hints is done again. A variant stays the
        variant that it is."""
        seen = self._see(image, gain, neutralize)
        layers = [layer for layer in prediction.layers if not _is_of_person(layer)]
        if hints:
            layers.append(self._make_hint_layer(seen, prediction, hints))
        return replace(prediction, layers=tuple(layers))

    def predict(
        self,
        image: chroma.Picture,
        *,
        gain: float = 1.0,
        neutralize: bool = True,
        hints: Sequence[Hint] | None = None,
        reference: chroma.Picture | None = None,
        reference_strength: float = 1.0,
        variant: int = 0,
        progress: Report | None = None,
        **controls: Any,
    ) -> Prediction:
        """The network's part of colorize(). Raises OptionError."""
        check_variant(variant)
        shown: dict[str, Any] = {"gain": gain, "neutralize": neutralize}
        if reference is None and variant == 0:
            return super().predict(image, hints=hints, progress=progress, **shown, **controls)
        prediction = super().predict(image, progress=progress, **shown, **controls)
        wanted = tuple(hints or ())
        if reference is not None:
            found = self.match_reference(
                image, reference, reference_strength, prediction=prediction, **shown
            )
            wanted = (*found, *wanted)
        return self.guide(image, self.vary(image, prediction, variant, **shown), wanted, **shown)

    def variants(
        self, image: chroma.Picture, count: int = VARIANTS, **options: Any
    ) -> list[Variant]:
        """Different, coherent colourings of one photo, the likeliest first, which is predict()'s:
        others give large regions whose colour is open another of their likely colours. Fewer than
        `count` where there is too little choice. `options` are predict()'s. Raises OptionError."""
        shown = {name: options[name] for name in ("gain", "neutralize") if name in options}
        return self.list_variants(image, self.predict(image, **options), count, **shown)

    def list_variants(
        self,
        image: chroma.Picture,
        first: Prediction,
        count: int = VARIANTS,
        *,
        gain: float = 1.0,
        neutralize: bool = True,
    ) -> list[Variant]:
        """The variants() of a photo from what predict() gave for it with these options."""
        seen = self._see(image, gain, neutralize)
        return [
            Variant(first, (), 0.0),
            *(
                Variant(self._lay_variant(seen, first, hints), hints, score)
                for hints, score in self._choose_variants(first, count)
            ),
        ]

    def vary(
        self,
        image: chroma.Picture,
        prediction: Prediction,
        variant: int,
        *,
        gain: float = 1.0,
        neutralize: bool = True,
    ) -> Prediction:
        """What the variants() of that number is, from what predict() gave for the same photo and
        options. Raises OptionError where the photo has too few."""
        check_variant(variant)
        if variant == 0:
            return prediction
        found = self._choose_variants(prediction, VARIANTS)
        if variant > len(found):
            raise OptionError(f"variant is {variant}, allowed is 0 to {len(found)} for this photo.")
        hints, _ = found[variant - 1]
        return self._lay_variant(self._see(image, gain, neutralize), prediction, hints)

    @torch.inference_mode()
    def match_reference(
        self,
        image: chroma.Picture,
        reference: chroma.Picture,
        strength: float = 1.0,
        *,
        prediction: Prediction | None = None,
        gain: float = 1.0,
        neutralize: bool = True,
    ) -> tuple[Hint, ...]:
        """The colours of another photo (h, w, 3) where the same things are, as hints: places at
        which the network's features correspond and its distribution holds the colour possible.
        None where the photos have nothing in common. `strength` in [0, 1]; `prediction`: what
        predict() gave for the photo with these options, if that is there. Raises OptionError."""
        check("strength", strength, (0.0, 1.0))
        first = prediction or self.predict(image, gain=gain, neutralize=neutralize)
        rows, cols = (max(1, int(n)) for n in first.cells)
        told: Any = first.decode
        found = match(self.describe(first)[0], *self._describe_reference(reference))
        ab = torch.from_numpy(found.ab).to(told.logits).permute(2, 0, 1)[None]
        held = told.measure_share(ab)[0, 0].cpu().numpy()
        kept = _find_skin_cells(first)[1][:rows, :cols]
        sure = found.confidence * (held >= POSSIBLE) * (kept < 0.5)
        free = as_planes(told(1.0))[:rows, :cols]
        return pick_hints(replace(found, confidence=sure), free, first.cells, strength)

    def _describe_reference(self, reference: chroma.Picture) -> tuple[Floats, Floats]:
        """What the network makes of each of its cells, (C, m, n), and their ab, (m, n, 2). The
        photos of a series share one, so that the last one's is kept."""
        digest = Reference(reference).digest
        known = self._reference
        if known is None or known[0] != digest:
            seen = self._see(reference, 1.0, False)
            down, across = (max(1, int(n)) for n in seen.shrink_to_cells(self.cell)[1])
            small = resize(reference, *seen.fine_l.shape) / np.iinfo(reference.dtype).max
            lab = rgb_to_lab(small.astype(np.float32))
            colours = resize(np.ascontiguousarray(lab[..., 1:]), down, across)
            features = self._predict_distribution(seen).describe()[:, :down, :across]
            known = self._reference = digest, features, colours
        return known[1:]

    def describe(self, prediction: Prediction) -> tuple[NDArray[np.float32], tuple[float, float]]:
        """What the network makes of each cell of a photo, (C, h, w), and the photo's height and
        width in cells, as steering.album takes them; from what predict() gave for it."""
        told: Any = prediction.decode
        rows, cols = (max(1, int(n)) for n in prediction.cells)
        return told.describe()[:, :rows, :cols], prediction.cells

    @torch.inference_mode()
    def _choose_variants(
        self, first: Prediction, count: int
    ) -> list[tuple[tuple[Hint, ...], float]]:
        """Hints and score of each but the first."""
        told: Any = first.decode
        regions = find_regions(told, first.coarse_l, first.cells, _find_skin_cells(first)[1])
        return [
            (
                tuple(
                    hint
                    for region, number in zip(regions, chosen, strict=True)
                    for hint in region.hints(number)
                ),
                score,
            )
            for chosen, score in choose(regions, count)
        ]

    @torch.inference_mode()
    def _lay_variant(
        self, seen: FittedPhoto, first: Prediction, hints: tuple[Hint, ...]
    ) -> Prediction:
        layer = replace(
            self._make_hint_layer(seen, first, hints), kept=_find_skin_cells(first)[0], own=True
        )
        return replace(first, layers=(*first.layers, layer))

    @torch.inference_mode()
    def questions(
        self,
        image: chroma.Picture,
        prediction: Prediction,
        hints: Sequence[Hint] = (),
        count: int = 7,
        *,
        gain: float = 1.0,
        neutralize: bool = True,
    ) -> list[Question]:
        """At most `count` large regions whose colour is least sure, those first where an answer
        changes most: `prediction` is what predict() gave for the photo with these options, `hints`
        what is known already and is not asked again, nor is skin. Fewer, or none, where the colours
        are sure. Raises OptionError."""
        _, known = _find_skin_cells(prediction)
        free: Any = prediction.decode
        told = free
        if hints:
            layer = next((each for each in _list_hint_layers(prediction, hints)), None)
            if layer is None:
                seen = self._see(image, gain, neutralize)
                layer = self._make_hint_layer(seen, prediction, hints)
            told = free.mix(layer.guided, layer.reach.near)
            known = np.maximum(known, layer.reach.near[0, 0].float().cpu().numpy().clip(0, 1))
        regions = find_open_regions(free, told, prediction.coarse_l, prediction.cells, known, count)
        return make_questions(regions, prediction.coarse_l, prediction.fine_l, prediction.cells)

    @torch.inference_mode()
    def find_likely(self, prediction: Prediction, x: float, y: float) -> Question:
        """What the object at (x, y), in [0, 1] of the photo, may be coloured: as a question about
        what one hint there would fill."""
        told: Any = prediction.decode
        seed = Hint(x, y, (0.0, 0.0))
        cells = prediction.cells
        reach = find_reach(told(1.0), [seed], prediction.coarse_l, cells, told.features)
        rows, cols = (max(1, int(n)) for n in cells)
        fill = reach.fill[0, 0].float().cpu().numpy()[:rows, :cols]
        region = make_region(told, prediction.coarse_l, cells, fill, seed)
        return make_questions([region], prediction.coarse_l, prediction.fine_l, cells)[0]

    @torch.inference_mode()
    def _predict(
        self,
        seen: FittedPhoto,
        hints: Sequence[Hint],
        settings: dict[str, Any],
        progress: Report | None,
    ) -> Prediction:
        decode = self._predict_distribution(seen)
        share = settings[AUTO_VIVIDNESS.name] * _measure_mutedness(
            decode, *seen.shrink_to_cells(self.cell)
        )
        decode = replace(decode, boost=MOST_BOOST * share)
        prediction = seen.make_prediction(decode, self.cell)
        whole = Rectangle(0, 0, *seen.fine_l.shape)
        told = [PlacedDistribution(decode, prediction.coarse_l, prediction.cells, whole)]
        faces = find_faces(seen.image)
        windows = self._look_closer(seen, told[0], faces)
        layers: list[AbLayer] = list(windows)
        amount = settings[NATURAL_SKIN.name]
        if faces and amount > 0:
            skins = find_skin(self._skin, seen.image, seen.tone, faces, seen.fine_l.shape)
            told += [window.told for window in windows]
            layers.append(colour_skin(self._skin, skins, told, seen.fine_l, amount))
        spread = as_planes(decode.measure_spread())[..., 0]
        prediction = replace(prediction, layers=tuple(layers), spread=spread)
        if hints:
            layers.append(self._make_hint_layer(seen, prediction, hints))
        return replace(prediction, layers=tuple(layers))

    def _make_hint_layer(
        self,
        seen: FittedPhoto,
        free: Prediction,
        hints: Sequence[Hint],
    ) -> HintLayer:
        """What hints change of a prediction without any. Clothes do not colour faces: skin stays as
        it is unless a hint is on it."""
        decode: Any = free.decode
        guided = replace(
            self._predict_distribution(seen, hints, decode.known), boost=decode.boost, known=None
        )
        reach = find_reach(decode(1.0), hints, free.coarse_l, free.cells, decode.features)
        skin = _find_skin_cells(free)[0]
        kept = None if any(_read_at(skin, hint) > ON_SKIN for hint in hints) else skin
        return HintLayer(
            decode, guided, reach, free.coarse_l, seen.fine_l, free.cells, tuple(hints), kept
        )

    def _predict_distribution(
        self,
        seen: FittedPhoto,
        hints: Sequence[Hint] = (),
        known: tuple[Tensor, ...] | None = None,
    ) -> Distribution:
        """What the network says of a photo or a part of one. `known`: what its encoder told."""
        told: Any = self._run(seen, hints, known)
        distribution: Distribution = told.smooth_along(seen.shrink_to_cells(self.cell)[0])
        return distribution

    def _look_closer(
        self, seen: FittedPhoto, whole: PlacedDistribution, faces: Sequence[Face]
    ) -> list[WindowLayer]:
        """At the people whose faces these are, where they are small."""
        fine = seen.fine_l.shape
        step = (fine[0] / whole.cells[0], fine[1] / whole.cells[1])
        layers = []
        for window in frame_people(faces, *seen.size):
            bottom, right = window.top + window.side, window.left + window.side
            place = snap(window.top, window.left, bottom, right, seen.size, fine)
            part = seen.part(place, self.card.network_side, self.multiple)
            close = self._predict_distribution(part)
            coarse_l, cells = part.shrink_to_cells(self.cell)
            height, width = close.logits.shape[-2:]
            # The part's cells reach over its place where it was padded.
            down, across = place.size[0] / cells[0], place.size[1] / cells[1]
            box = (
                place.left / step[1],
                place.top / step[0],
                (place.left + width * across) / step[1],
                (place.top + height * down) / step[0],
            )
            both = (
                whole.distribution.part(box, (height, width))
                .mix(close, CLOSE)
                .smooth_along(coarse_l)
            )
            told = PlacedDistribution(both, coarse_l, cells, place)
            layers.append(WindowLayer(told, part.fine_l, _fade(place, fine)))
        return layers


def _find_skin_cells(prediction: Prediction) -> tuple[chroma.Floats, chroma.Floats]:
    """How much skin was found by the skin's layers, (H, W) of the guided planes and (h, w) of the
    cells, in [0, 1]."""
    skins = [layer.mask for layer in prediction.layers if isinstance(layer, SkinLayer)]
    fine = np.maximum.reduce(skins) if skins else np.zeros_like(prediction.fine_l)
    rows, cols = (max(1, int(n)) for n in prediction.cells)
    coarse = np.zeros_like(prediction.coarse_l)
    coarse[:rows, :cols] = resize(fine, rows, cols)
    return fine, coarse


def _read_at(plane: chroma.Floats, hint: Hint) -> float:
    rows, cols = plane.shape
    return float(plane[min(int(hint.y * rows), rows - 1), min(int(hint.x * cols), cols - 1)])


def _is_of_person(layer: AbLayer) -> bool:
    """Whether it is of hints that were given, and not a variant's own."""
    return isinstance(layer, HintLayer) and not layer.own


def _list_hint_layers(prediction: Prediction, hints: Sequence[Hint]) -> list[HintLayer]:
    """What these hints, and no others, change of the prediction."""
    layers = [layer for layer in prediction.layers if isinstance(layer, HintLayer)]
    return [layer for layer in layers if layer.hints == tuple(hints)]


def _measure_mutedness(
    told: Distribution, coarse_l: chroma.Floats, cells: tuple[float, float]
) -> float:
    """How little colour a photo gets at vividness 1, in [0, 1]."""
    rows, cols = (max(1, int(n)) for n in cells)
    lab = np.dstack([coarse_l, as_planes(told(1.0))])[:rows, :cols]
    picture = np.round(lab_to_rgb_in_gamut(lab) * 255).astype(np.uint8)
    return float(np.clip(1 - colourfulness(picture) / MUTED, 0, 1))


def _fade(place: Rectangle, fine: tuple[int, ...]) -> chroma.Floats:
    """1 inside of the place, falling to 0 at those of its edges that are not the photo's."""
    rows = _make_ramp(place.size[0], place.top > 0, place.bottom < fine[0])
    cols = _make_ramp(place.size[1], place.left > 0, place.right < fine[1])
    return rows[:, None] * cols


def _make_ramp(length: int, fading_in: bool, fading_out: bool) -> chroma.Floats:
    place = (np.arange(length, dtype=np.float32) + 0.5) / length
    weight = np.ones(length, np.float32)
    for wanted, distance in ((fading_in, place), (fading_out, 1 - place)):
        if wanted:
            weight *= np.clip(distance / MARGIN, 0, 1)
    return weight

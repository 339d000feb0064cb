"""python -m docs.theory_figures [NAME...] : draw the pictures of docs/theory/, all or those named.

Everything is computed: by the networks of this package with their bundled weights on the example
photographs, or, where what counts is how a network is built, by one with random weights.
tests/docs/test_theory.py says which picture is on which page.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn

import colorize_core
from colorize_core.bundled import EXAMPLES
from colorize_core.cards import SEED
from colorize_core.imaging import image
from colorize_core.imaging.captions import INK, PAPER, SUBDUED
from colorize_core.imaging.color import combine_ab, lab_to_rgb_in_gamut, rgb_to_lab
from colorize_core.imaging.resampling import resize
from colorize_core.metrics import protocol
from colorize_core.metrics.ciede2000 import ciede2000
from colorize_core.models.distribution import VIVIDNESS
from colorize_core.networks import coltran, noise
from colorize_core.networks.diffusion_unet import CELL, DiffusionUNetConfig
from colorize_core.networks.discriminators import PatchDiscriminator
from colorize_core.networks.sagan import SaganDiscriminator
from colorize_core.networks.scaling import scale_ab, unscale_ab
from colorize_core.networks.se_unet import SqueezeExcite
from colorize_core.networks.vit import VitConfig, VitDiscriminator
from colorize_core.prompted.chroma_transfer import transfer_chroma
from colorize_core.prompted.conditions import detect_canny
from colorize_core.prompted.settings import PromptSettings
from docs.tables import ROOT

Picture = NDArray[np.uint8]
Floats = NDArray[np.floating]
Cell = tuple[Picture | None, str]  # a picture and the words under it

OUT = ROOT / "docs" / "theory"
GAP = 6  # pixels
LETTERS = 13  # pixels high
STRIP = 10  # pictures
FIRST, SECOND = "#1f5fa8", "#d1661b"  # apart for the colour-blind, too


# --- sheets of pictures -------------------------------------------------------------------------


def read_example(name: str) -> Picture:
    pixels: Any = image.read(EXAMPLES / f"{name}.jpg").pixels  # none of them has 16 bits
    return pixels


def read_square(name: str, side: int) -> Picture:
    """The middle of an example, (side, side, 3)."""
    return resize(protocol.crop_square(read_example(name)), side, side)


def load_network(name: str) -> Any:
    model: Any = colorize_core.load(name, device="cpu")
    return model.network


def measure_l(picture: Picture) -> Tensor:
    """(H, W, 3) -> L (1, 1, H, W) in [0, 100]."""
    lightness = rgb_to_lab(picture.astype(np.float32) / 255)[..., 0]
    return torch.from_numpy(np.ascontiguousarray(lightness))[None, None]


def combine(lightness: Tensor, ab: Tensor) -> Picture:
    """L (1, 1, H, W) and ab (1, 2, h, w) in Lab units -> the picture (H, W, 3)."""
    fine = F.interpolate(ab, lightness.shape[2:], mode="bilinear", align_corners=False)
    planes = fine[0].permute(1, 2, 0).double().numpy()
    return combine_ab(lightness[0, 0, ..., None].double().numpy(), planes)


def enlarge(picture: Picture, side: int) -> Picture:
    """With the pixels left to be seen."""
    resized = cv2.resize(picture, (side, side), interpolation=cv2.INTER_NEAREST)
    return np.asarray(resized, np.uint8)


def lay_out(rows: Sequence[tuple[str, Sequence[Cell]]], heading: int = 0) -> Image.Image:
    """Rows of pictures of one size, words under each. A row's own words stand in a column of
    `heading` pixels on the left, or above it where that is 0."""
    shown = next(picture for picture, _ in rows[0][1] if picture is not None)
    height, width = shown.shape[:2]
    above = 0 if heading else LETTERS + 9
    words = [(LETTERS + 5) * any(text for _, text in cells) for _, cells in rows]
    tops = np.cumsum([GAP, *(above + height + below + GAP for below in words)]).tolist()
    across = max(len(cells) for _, cells in rows)
    sheet = Image.new("RGB", (heading + across * (width + GAP) + GAP, tops[-1]), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(LETTERS)
    for (title, cells), top in zip(rows, tops[:-1], strict=True):
        if heading:
            draw.text((GAP, top + height // 2), title, INK, font, anchor="lm")
        else:
            draw.text((GAP, top), title, INK, font)
        for column, (picture, text) in enumerate(cells):
            left = heading + GAP + column * (width + GAP)
            if picture is not None:
                sheet.paste(Image.fromarray(picture), (left, top + above))
            middle = left + width // 2
            draw.text((middle, top + above + height + 3), text, SUBDUED, font, anchor="ma")
    return sheet


def save_sheet(name: str, sheet: Image.Image, quality: int = 85) -> None:
    sheet.save(OUT / name, quality=quality, optimize=True)


def save_plot(name: str, figure: Figure, colours: int | None = None) -> None:
    """As PNG with few colours if so many are given: for plots with noise in them."""
    if name.endswith(".svg"):
        with rc_context({"svg.hashsalt": name}):  # the same bytes for the same figure
            figure.savefig(OUT / name, facecolor=PAPER, metadata={"Date": None})
        return
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100, facecolor=PAPER)
    plot = Image.open(drawn).convert("RGB")
    if colours is not None:
        plot = plot.quantize(colours, dither=Image.Dither.NONE)
    plot.save(OUT / name, optimize=True)


def make_figure(width: float, height: float) -> Figure:
    """In hundreds of pixels."""
    return Figure(figsize=(width, height), layout="constrained")


def clean(axes: Any, title: str) -> Any:
    axes.set_title(title, fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])
    return axes


# --- diffusion ----------------------------------------------------------------------------------


def plot_schedules() -> Figure:
    figure = make_figure(9, 3.2)
    left, added = figure.subplots(1, 2)
    for (name, make), colour in zip(noise.SCHEDULES.items(), (FIRST, SECOND), strict=True):
        betas = make()
        steps = np.arange(1, len(betas) + 1)
        left.plot(steps, torch.cumprod(1 - betas, 0), color=colour, label=name)
        added.plot(steps, betas, color=colour, label=name)
    left.set_title("what is left of the picture's variance", fontsize=10)
    added.set_title("noise that the step adds (beta)", fontsize=10)
    added.set_yscale("log")
    for axes in (left, added):
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


def draw_schedules() -> None:
    save_plot("schedules.svg", plot_schedules())


def draw_forward() -> None:
    picture = read_square("coffee-colour", 96)
    lightness = measure_l(picture)
    ab = torch.from_numpy(rgb_to_lab(picture / 255.0)[..., 1:]).permute(2, 0, 1)[None].float()
    gain = DiffusionUNetConfig().gain
    start = scale_ab(F.avg_pool2d(ab, CELL)) * gain
    added = noise.draw([torch.Generator().manual_seed(0)], start.shape[1:])
    rows = []
    for name in noise.SCHEDULES:
        schedule = noise.Noise(name)
        cells, alone = [], []
        for step in torch.linspace(0, len(schedule) - 1, STRIP).round().long():
            noisy = unscale_ab(schedule.add(start, added, step[None]) / gain)
            told = f"{int(step) + 1}: {float(schedule.left[step]):.0%}"
            cells.append((resize(combine(lightness, noisy), 84, 84), ""))
            even = torch.full((1, 1, *noisy.shape[2:]), 65.0)
            alone.append((enlarge(combine(even, noisy), 84), told))
        rows.append((f"{name} schedule: the noisy colours on the photo's L", cells))
        rows.append((f"{name}: the colours alone; their step, and the variance left", alone))
    save_sheet("forward.jpg", lay_out(rows), quality=80)


def draw_reverse() -> None:
    """For each sampler what the network is shown, and what it takes the picture for."""
    model: Any = colorize_core.load("diffusion", device="cpu")
    settings = model.card.settings({})
    shown = read_square("portrait-gray", 128)
    lightness = measure_l(shown)
    schedule, rows = noise.Noise(settings["schedule"]), []
    for sampler, steps in (("DDIM", settings["steps"]), ("ancestral sampling", None)):
        noisy: list[Tensor] = []
        hook = model.network.register_forward_pre_hook(
            lambda _, given, noisy=noisy: noisy.append(given[0][:1])
        )
        with torch.inference_mode():
            generators = [torch.Generator().manual_seed(int(SEED.default))]
            asked = (settings["guidance"], settings["temperature"])
            taken = list(model.network.sample(lightness, schedule, steps, generators, *asked))
        hook.remove()
        count = len(taken)
        chosen = np.linspace(0, count - 1, STRIP).round().astype(int)
        gain = model.network.config.gain
        before = [
            (resize(combine(lightness, unscale_ab(noisy[i] / gain)), 84, 84), "") for i in chosen
        ]
        after = [(resize(combine(lightness, taken[i]), 84, 84), f"{i + 1}") for i in chosen]
        rows.append((f"{sampler}, {count} steps: what the network is shown", before))
        rows.append((f"{sampler}: what it takes the picture for after that step", after))
    save_sheet("reverse.jpg", lay_out(rows), quality=75)


# --- ColTran ------------------------------------------------------------------------------------


def find_dependences(row: int, column: int, side: int = 9) -> dict[str, NDArray[np.bool_]]:
    """On which places, (side, side), what is computed of one place depends: by gradients with
    respect to what is embedded at each place, of a network with random weights.

    `row layer`: the encoder's first layer, of gray; `encoder`: all of it, of gray; `outer`: the
    outer decoder, of colours; `inner`: the answer, after the inner decoder, of colours."""
    torch.manual_seed(0)
    config = coltran.ColTranConfig(width=16, heads=2, blocks=2, side=side)
    network = coltran.Colorizer(config).double().eval()
    kept: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[..., None]:
        return lambda _module, _given, told: kept.update({name: told})

    for name, module in {
        "gray": network.gray,
        "colours": network.colour,
        "row layer": network.encoder.layers[0],
        "encoder": network.encoder,
        "outer": network.outer[-1],
        "inner": network.head,
    }.items():
        module.register_forward_hook(keep(name))
    gray = torch.randint(coltran.LEVELS, (1, side, side))
    network(gray, torch.randint(coltran.COLOURS, (1, side, side)))
    depends = {}
    for name, of in (
        ("row layer", "gray"),
        ("encoder", "gray"),
        ("outer", "colours"),
        ("inner", "colours"),
    ):
        # Weighted, since a layer norm makes a plain sum a constant.
        told = kept[name][0, row, column]
        weighted = (told * torch.linspace(-1, 2, len(told), dtype=told.dtype)).sum()
        (gradient,) = torch.autograd.grad(weighted, kept[of], retain_graph=True)
        depends[name] = (gradient[0] != 0).any(-1).numpy()
    return depends


def draw_order() -> None:
    side, row, column = 9, 4, 4
    depends = find_dependences(row, column, side)
    figure = make_figure(9, 3.5)
    grids = (
        ("encoder: gray", depends["encoder"], depends["row layer"], "after one row layer"),
        ("outer decoder: colours", depends["outer"], None, ""),
        ("inner decoder: colours", depends["inner"], depends["outer"], "through the outer one"),
    )
    plots = figure.subplots(1, 3)
    for axes, (title, seen, part, meaning) in zip(plots, grids, strict=True):
        clean(axes, title).set_aspect("equal")
        axes.set(xlim=(0, side), ylim=(side, 0))
        for y, x in np.ndindex(side, side):
            colour = "#eeeeee"
            if seen[y, x]:
                colour = FIRST if part is None or part[y, x] else "#8ab4e0"
            axes.add_patch(Rectangle((x, y), 1, 1, facecolor=colour, edgecolor="white"))
        box = Rectangle((column, row), 1, 1, fill=False, edgecolor=SECOND, linewidth=3)
        axes.add_patch(box)
        axes.set_xlabel(f"dark: {meaning}" if meaning else " ", fontsize=9)
    save_plot("coltran-order.svg", figure)


def draw_stages() -> None:
    """From two seeds: coarse colours row by row, then the two upsamplers."""
    model: Any = colorize_core.load("coltran", device="cpu")
    settings = model.card.settings({})
    network, side, shown = model.network, model.card.network_side, 120
    photo = read_square("portrait-gray", 256)
    lightness = measure_l(resize(photo, side, side))
    places = side // coltran.SCALE
    drawing = coltran.SamplingOptions(
        **{name: settings[name] for name in coltran.SamplingOptions._fields}
    )
    small = resize(photo, places, places)
    rows = []
    for seed in (0, 1):
        chances = torch.rand(1, places, places, generator=torch.Generator().manual_seed(seed))
        gray = network.colorizer.choose_gray(lightness)
        cells: list[Cell] = []
        for done, colours in enumerate(network.colorizer.sample(gray, chances, drawing), 1):
            if done % (places // 3) == 0:
                drawn = small.copy()
                drawn[:done] = to_picture(coltran.to_middle(colours))[:done]
                cells.append((enlarge(drawn, shown), f"{done} of {places} rows"))
        painting = network.paint(lightness, colours)
        cells.append((enlarge(to_picture(painting.fine), shown), "colour upsampler"))
        cells.append((enlarge(to_picture(painting.final), shown), "spatial upsampler"))
        ab = coltran.compute_ab(painting.final, lightness)
        cells.append((resize(combine(measure_l(photo), ab), shown, shown), "on the photo's L"))
        rows.append((f"seed {seed}", cells))
    save_sheet("coltran-stages.jpg", lay_out(rows))


def to_picture(rgb: Tensor) -> Picture:
    """(1, 3, h, w) in [0, 1] -> (h, w, 3)."""
    return (rgb[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


# --- bins ---------------------------------------------------------------------------------------


def paint_points(points: Floats, lightness: float) -> Floats:
    """ab (Q, 2) -> RGB (Q, 3) in [0, 1] at one L, made paler where sRGB has no such colour."""
    lab = np.concatenate([np.full((len(points), 1), lightness), points], 1)
    return np.clip(lab_to_rgb_in_gamut(lab), 0, 1)


def square_bins(axes: Any, points: Floats, colours: Any, widths: Any, step: float) -> None:
    """A square for each bin, of a width from 0 to 1 of the grid's step."""
    for (a, b), colour, width in zip(points, colours, widths, strict=True):
        half = step * width / 2
        axes.add_patch(Rectangle((a - half, b - half), 2 * half, 2 * half, facecolor=colour))
    axes.set(xlim=(-107, 122), ylim=(-120, 110), xlabel="a", ylabel="b", aspect="equal")
    axes.axhline(0, color="#cccccc", linewidth=0.6, zorder=0)
    axes.axvline(0, color="#cccccc", linewidth=0.6, zorder=0)


def draw_bins() -> None:
    network = load_network("autochrome")
    points, log_prior = network.bins.points.numpy(), network.bins.log_prior.numpy()
    figure = make_figure(9, 4.1)
    grid, frequency = figure.subplots(1, 2)
    colours = paint_points(points, 65)
    square_bins(grid, points, colours, np.full(len(points), 0.92), network.bins.step)
    grid.set_title(f"{len(points)} bins, {network.bins.step:g} Lab units apart", fontsize=10)
    square_bins(frequency, points, colours, np.zeros(len(points)), network.bins.step)
    dots = frequency.scatter(
        *points.T, c=log_prior / np.log(10), s=70, marker="s", cmap="viridis", vmin=-6
    )
    figure.colorbar(dots, ax=frequency, label="power of ten", shrink=0.85)
    frequency.set_title("share of each bin in the training photographs", fontsize=10)
    save_plot("bins.png", figure)


def see(model: Any, picture: Picture) -> tuple[Tensor, Any]:
    """L at the size of the built-in model's network, and what it tells of it."""
    side = model.card.network_side
    lightness = measure_l(resize(picture, side, side))
    with torch.inference_mode():
        return lightness, model.predict_ab(model.network, lightness, torch.zeros(1, 3, side, side))


def draw_rebalancing() -> None:
    model: Any = colorize_core.load("autochrome", device="cpu")
    photo = read_square("coffee-colour", 288)
    side = 156
    lightness, told = see(model, photo)
    first: list[Cell] = []
    for share in (0.0, 0.1, 0.3, 0.6, 1.0):
        ab = told.bins.decode(told.logits, rebalance=share)
        mean = float(ab.norm(dim=1).mean())
        made = resize(combine(lightness, ab), side, side)
        first.append((made, f"{share:g}; chroma {mean:.0f}"))
    second: list[Cell] = []
    for vividness in (0.0, 0.5, 1.0, 1.5):
        ab = told(vividness)
        made = resize(combine(lightness, ab), side, side)
        second.append((made, f"{vividness:g}; chroma {float(ab.norm(dim=1).mean()):.0f}"))
    second.append((resize(photo, side, side), "the original"))
    stated = ", ".join(f"{number}: {values}" for number, values in enumerate(VIVIDNESS))
    rows = [
        ("rebalancing alone, at temperature 1", first),
        (f"vividness, which sets (rebalancing, temperature, lift) to {stated}", second),
    ]
    save_sheet("rebalancing.jpg", lay_out(rows))


PLACE = (0.15, 0.66)  # of the portrait, x and y from 0 to 1: the orange suit


def draw_mean_and_mode() -> None:
    """What the built-in model holds likely at one place, and where the mean of that lies."""
    model: Any = colorize_core.load("autochrome", device="cpu")
    photo = read_square("portrait-colour", 288)
    lightness, told = see(model, photo)
    shares = told.compute_probabilities()[0]
    rows, columns = shares.shape[1:]
    row, column = int(PLACE[1] * rows), int(PLACE[0] * columns)
    share = shares[:, row, column].numpy()
    points = told.bins.points.numpy()
    mean = share @ points
    mode = points[share.argmax()]
    cell = model.cell
    here = slice(row * cell, (row + 1) * cell), slice(column * cell, (column + 1) * cell)
    level = float(lightness[0, 0][here].mean())
    truth = rgb_to_lab(photo / 255.0)[here].reshape(-1, 3).mean(0)[1:]
    figure = make_figure(9, 3.9)
    seen, cloud, patches = figure.subplots(1, 3, width_ratios=(1, 1.35, 0.75))
    clean(seen, "what the network sees").imshow(lightness[0, 0], cmap="gray", vmin=0, vmax=100)
    box = Rectangle((column * cell - 4, row * cell - 4), cell + 8, cell + 8, fill=False)
    box.set(edgecolor=SECOND, linewidth=2.5)
    seen.add_patch(box)
    colours = paint_points(points, max(level, 55))
    square_bins(cloud, points, colours, np.sqrt(share / share.max()) * 0.95, told.bins.step)
    cloud.set(xlim=(-64, 92), ylim=(-78, 92))
    cloud.set_title("how likely it holds each bin (area)", fontsize=10)
    for place, mark, name in ((mean, "o", "mean"), (mode, "D", "mode"), (truth, "*", "truth")):
        cloud.plot(*place, mark, color="black", markerfacecolor="white", markersize=9, label=name)
    cloud.legend(frameon=False, loc="lower left", fontsize=9)
    clean(patches, f"at its L, {level:.0f}").axis("off")
    patches.set(xlim=(0, 1), ylim=(3, 0))
    for number, (name, ab) in enumerate((("mean", mean), ("mode", mode), ("truth", truth))):
        colour = paint_points(ab[None], level)[0]
        patches.add_patch(Rectangle((0, number + 0.05), 0.5, 0.85, facecolor=colour))
        words = f"{name}\na {ab[0]:.0f}, b {ab[1]:.0f}\nchroma {np.hypot(*ab):.0f}"
        patches.text(0.56, number + 0.48, words, va="center", fontsize=9)
    save_plot("mean-and-mode.png", figure)


# --- judges -------------------------------------------------------------------------------------


def measure_field(make: Callable[[], nn.Module], side: int = 128, draws: int = 6) -> Floats:
    """How much the verdict in the middle, or the only one, hangs on each pixel: the mean size of
    its gradient over judges with random weights, (side, side)."""
    total = np.zeros((side, side))
    for seed in range(draws):
        torch.manual_seed(seed)
        judge = make().eval()
        lightness = (100 * torch.rand(1, 1, side, side)).requires_grad_()
        ab = (40 * torch.randn(1, 2, side, side)).requires_grad_()
        verdict = judge(lightness, ab)
        if verdict.ndim == 4:
            verdict = verdict[..., verdict.shape[2] // 2, verdict.shape[3] // 2]
        gradients = torch.autograd.grad(verdict.sum(), (lightness, ab))
        total += sum(each[0].abs().sum(0).numpy() for each in gradients)
    return total / draws


def measure_extent(field: Floats) -> int:
    """Pixels along the longer side of what is not 0."""
    rows, columns = np.nonzero(field)
    return int(max(np.ptp(rows), np.ptp(columns))) + 1


def wake(judge: nn.Module) -> nn.Module:
    """With attention switched on, as training does: it begins with none."""
    for name, parameter in judge.named_parameters():
        if name.endswith("gamma"):
            nn.init.ones_(parameter)
    return judge


JUDGES: dict[str, Callable[[], nn.Module]] = {
    "patches, 2 downs (ours)": lambda: PatchDiscriminator(width=32, downs=2),
    "patches, 3 downs (pix2pix)": lambda: PatchDiscriminator(width=32, downs=3),
    "SAGAN's, with attention": lambda: wake(SaganDiscriminator(width=32, downs=2)),
    "vision transformer": lambda: VitDiscriminator(
        VitConfig(width=192, depth=6, heads=6, side=128)
    ),
}


def draw_receptive_fields() -> None:
    figure = make_figure(9, 2.9)
    plots = figure.subplots(1, len(JUDGES))
    for axes, (name, make) in zip(plots, JUDGES.items(), strict=True):
        field = measure_field(make)
        size = np.log10(np.maximum(field / field.max(), 1e-4))
        dots = clean(axes, name).imshow(size, cmap="magma", vmin=-4, vmax=0)
        extent = measure_extent(field)
        axes.set_xlabel(f"{extent} of {len(field)} pixels wide", fontsize=9)
        axes.title.set_fontsize(9)
    figure.colorbar(dots, ax=plots, label="power of ten", shrink=0.75)
    save_plot("receptive-fields.png", figure, 255)


# --- squeeze and excitation -----------------------------------------------------------------------


def read_gates(network: nn.Module, lightness: Tensor) -> list[Floats]:
    """What each squeeze-and-excitation multiplies its channels by, in the order of the network."""
    gates: list[Floats] = []
    hooks = [
        each.excite.register_forward_hook(
            lambda _module, _given, told: gates.append(told[0].sigmoid().numpy())
        )
        for each in network.modules()
        if isinstance(each, SqueezeExcite)
    ]
    with torch.inference_mode():
        network(lightness)
    for hook in hooks:
        hook.remove()
    return gates


BLOCKS = (
    *(f"down to 1/{2**i}" for i in range(1, 5)),
    "bottleneck",
    "dilated",
    *(f"up to 1/{2**i}" for i in (3, 2, 1)),
    "up to 1/1",
)


def draw_gates() -> None:
    network = load_network("se-unet")
    names = ("portrait", "rocket")
    gates = [read_gates(network, measure_l(read_square(f"{name}-gray", 128))) for name in names]
    figure = make_figure(9, 4.2)
    plots = figure.subplots(2, 5, sharey=True)
    for axes, title, first, second in zip(plots.flat, BLOCKS, *gates, strict=True):
        order = np.argsort(first)
        axes.plot(second[order], ".", color=SECOND, markersize=3, label=names[1])
        axes.plot(first[order], color=FIRST, linewidth=1.5, label=names[0])
        axes.set_title(title, fontsize=9)
        axes.set(ylim=(0, 1.02), xticks=[])
        axes.set_xlabel(f"{len(first)} channels", fontsize=8)
    for axes in plots[:, 0]:
        axes.set_ylabel("gate")
    figure.legend(*plots[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    save_plot("gates.png", figure)


def draw_teacher_and_student() -> None:
    names, side = ("se-unet", "se-unet-student"), 200
    models: list[Any] = [colorize_core.load(name, device="cpu") for name in names]
    rows = []
    for photo in ("portrait-colour", "coffee-colour"):
        truth = read_example(photo)
        gray = protocol.to_gray(truth)
        made = [gray, *(model.colorize(gray) for model in models), truth]
        words = ("gray", "se-unet, the teacher", "its student", "the original")
        cells = [
            (resize(protocol.crop_square(each), side, side), word)
            for each, word in zip(made, words, strict=True)
        ]
        rows.append((photo.split("-")[0], cells))
    save_sheet("teacher-student.jpg", lay_out(rows))


# --- colours from words ---------------------------------------------------------------------------


def draw_prompt() -> None:
    """What a ControlNet is shown, and what keeping the photo does to a drawing that does not lie on
    it: the original moved by some pixels stands in for one, as no pipeline is bundled."""
    whole, side, moved = read_square("coffee-colour", 400), 206, 6
    seen = slice(moved, None)  # without what comes in from the other side
    drawing, original = np.roll(whole, moved, (0, 1))[seen, seen], whole[seen, seen]
    gray = protocol.to_gray(original)
    first: list[tuple[Picture, str]] = [(gray, "the photo")]
    for low, high in ((50, 100), (100, 200), (200, 400)):
        edges = detect_canny(gray, low, high, PromptSettings().blur)
        first.append((edges, f"edges from {low} and {high}"))
    ab = torch.from_numpy(rgb_to_lab(drawing / 255.0)[..., 1:]).permute(2, 0, 1)[None].float()
    made: dict[str, Any] = {
        f"drawn {moved} pixels off": drawing,
        "its ab on the photo's L": combine(measure_l(gray), ab),
        "keep the photo": transfer_chroma(gray, drawing),
    }
    second = [
        (picture, f"{text}: {ciede2000(picture, original):.1f}") for text, picture in made.items()
    ]
    second.append((original, "the original"))
    rows = [
        (title, [(resize(picture, side, side), text) for picture, text in cells])
        for title, cells in (
            ("what a ControlNet for edges is shown", first),
            ("chroma alone, and how far each is from the original in CIEDE2000", second),
        )
    ]
    save_sheet("prompt.jpg", lay_out(rows))


# --- all systems ----------------------------------------------------------------------------------


def list_one_pass() -> list[str]:
    """The bundled models that do not draw."""
    return [
        card.name
        for card in colorize_core.cards()
        if all(control.name != SEED.name for control in card.controls)
    ]


def draw_systems() -> None:
    photos, side = ("portrait-colour", "coffee-colour", "photographer-gray"), 96
    truths = [read_example(photo) for photo in photos]
    grays = [protocol.to_gray(truth) for truth in truths]

    def small(pictures: Iterable[Picture]) -> list[Cell]:
        return [(resize(protocol.crop_square(each), side, side), "") for each in pictures]

    originals = small(truths[:2])  # the third was never in colour
    rows: list[tuple[str, list[Cell]]] = [("gray", small(grays)), ("original", originals)]
    for name in list_one_pass():
        model: Any = colorize_core.load(name, device="cpu")
        rows.append((name, small(model.colorize(gray) for gray in grays)))
    half = -(-len(rows) // 2)
    parts = [lay_out(part, heading=134) for part in (rows[:half], rows[half:])]
    size = (parts[0].width + parts[1].width, max(part.height for part in parts))
    sheet = Image.new("RGB", size, PAPER)
    sheet.paste(parts[0], (0, 0))
    sheet.paste(parts[1], (parts[0].width, 0))
    save_sheet("systems.jpg", sheet, quality=68)


FIGURES: dict[str, Callable[[], None]] = {
    "schedules.svg": draw_schedules,
    "forward.jpg": draw_forward,
    "reverse.jpg": draw_reverse,
    "coltran-order.svg": draw_order,
    "coltran-stages.jpg": draw_stages,
    "bins.png": draw_bins,
    "rebalancing.jpg": draw_rebalancing,
    "mean-and-mode.png": draw_mean_and_mode,
    "receptive-fields.png": draw_receptive_fields,
    "gates.png": draw_gates,
    "teacher-student.jpg": draw_teacher_and_student,
    "prompt.jpg": draw_prompt,
    "systems.jpg": draw_systems,
}


def main(names: Sequence[str]) -> None:
    wanted = {Path(name).stem for name in names}
    known = {Path(name).stem for name in FIGURES}
    if wanted - known:
        raise SystemExit(f"There is no figure {sorted(wanted - known)}: {', '.join(FIGURES)}.")
    for name, draw in FIGURES.items():
        if not wanted or Path(name).stem in wanted:
            draw()
            print(f"{name}: {(OUT / name).stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main(sys.argv[1:])

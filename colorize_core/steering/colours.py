"""Colours by name, for hints: those of things that old photographs show. Torch-free."""

from __future__ import annotations

import difflib
import re

import numpy as np

from colorize_core.errors import OptionError
from colorize_core.imaging.color import rgb_to_lab

RGB = tuple[int, int, int]
KEEP_GRAY = "keep gray"
GRAYS = ("gray", KEEP_GRAY)  # ab (0, 0), whatever the lightness

# Group -> name -> sRGB. Typical shades, chosen by eye: dyes, paints and people vary.
GROUPS: dict[str, dict[str, str]] = {
    "uniforms": {
        "army olive": "#4b5320",
        "olive drab": "#6b6a3f",
        "field gray": "#4d5d53",
        "khaki": "#8f7f58",
        "khaki drill": "#c3b091",
        "navy serge": "#2a3350",
        "air force blue": "#5d7690",
        "horizon blue": "#7d93a8",
        "union blue": "#33466b",
        "confederate gray": "#8b8f8e",
        "scarlet": "#a32a24",
    },
    "fabrics and dyes": {
        "madder red": "#9e3b33",
        "turkey red": "#a5222f",
        "burgundy": "#6d2233",
        "rose": "#d39aa0",
        "mauve": "#8d6a9f",
        "lavender": "#b3a3c8",
        "indigo": "#34426b",
        "denim": "#4f6a8f",
        "prussian blue": "#23405f",
        "powder blue": "#a9c1d4",
        "teal": "#2f6b70",
        "bottle green": "#1f4a37",
        "mustard": "#c49a2c",
        "rust brown": "#9c4a25",
        "tweed": "#7d674b",
        "linen": "#d9ccb0",
        "cream": "#efe3c2",
        "leather": "#7a4a2b",
    },
    "skin": {
        "very light skin": "#f0d3c2",
        "light skin": "#e3b79b",
        "medium skin": "#cf9c78",
        "tan skin": "#b07a55",
        "brown skin": "#8a5a3c",
        "dark skin": "#553527",
        "lips": "#b86a66",
    },
    "hair": {
        "blond hair": "#c9a66b",
        "light brown hair": "#8f6b48",
        "brown hair": "#5f4330",
        "auburn hair": "#7d3f27",
        "red hair": "#a9552f",
        "black hair": "#2a2422",
        "white hair": "#dcd8d0",
    },
    "nature": {
        "grass": "#6d8a3a",
        "dry grass": "#b7a365",
        "leaves": "#4d7036",
        "autumn leaves": "#b5652b",
        "sky": "#8fb4d8",
        "evening sky": "#dba07a",
        "sea": "#3f6f86",
        "river": "#6c7f78",
        "sand": "#d6bf92",
        "soil": "#6e5138",
        "rock": "#9a948a",
    },
    "buildings": {
        "brick": "#94503c",
        "yellow brick": "#c7a66e",
        "roof tiles": "#a4523c",
        "terracotta": "#b9643f",
        "sandstone": "#cbb088",
        "slate": "#5d6670",
        "oak": "#a57c4e",
        "pine": "#d0a96e",
        "mahogany": "#6b352a",
        "walnut": "#5f4430",
        "weathered wood": "#8e857a",
        "whitewash": "#eeeae0",
    },
    "metals": {
        "brass": "#b5913f",
        "gold": "#c9a13b",
        "bronze": "#8a6a3c",
        "copper": "#b06a45",
        "silver": "#c0c2c4",
        "steel": "#878c92",
        "rusty iron": "#8a4a2c",
    },
}
NAMED = {name: code for group in GROUPS.values() for name, code in group.items()}


def colour_of(text: str) -> tuple[float, float]:
    """The ab of a hint, in Lab units: "#8a3324", "138,51,36", a name of NAMED, or one of GRAYS,
    which is (0, 0). Raises OptionError."""
    if _normalize(text) in GRAYS:
        return 0.0, 0.0
    _, a, b = rgb_to_lab(np.array(read_rgb(text)) / 255).tolist()
    return round(a, 2), round(b, 2)


def read_rgb(text: str) -> RGB:
    """sRGB of 0 to 255, of what colour_of() takes; middle gray of GRAYS. Raises OptionError."""
    name = _normalize(text)
    if name in GRAYS:
        return 128, 128, 128
    code = NAMED.get(name, str(text).strip().lower())
    if found := re.fullmatch(r"#([0-9a-f]{6})", code):
        red, green, blue = bytes.fromhex(found[1])
    elif re.fullmatch(r"[0-9]{1,3}( *, *[0-9]{1,3}){2}", code) and all(
        int(each) < 256 for each in code.split(",")
    ):
        red, green, blue = map(int, code.split(","))
    else:
        raise OptionError(_refuse(text, name))
    return red, green, blue


def _normalize(text: str) -> str:
    """Lower case, one space between words, and one spelling of gray and blond."""
    words = " ".join(str(text).casefold().replace("-", " ").replace("_", " ").split())
    return re.sub(r"\bblonde\b", "blond", words.replace("grey", "gray"))


def _refuse(text: str, name: str) -> str:
    every = [*NAMED, *GRAYS]
    words = [other for other in every if set(name.split()) & set(other.split())]
    near = list(dict.fromkeys([*difflib.get_close_matches(name, every, 4), *words]))[:6]
    known = f"near names are {', '.join(near)}" if near else f"names are {', '.join(every)}"
    return f"{str(text)[:60]!r} is no colour: write #RRGGBB, R,G,B of 0 to 255 or a name; {known}."

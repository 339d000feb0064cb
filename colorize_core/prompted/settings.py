"""What a prompted colorization is asked with, and what is allowed. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass

from colorize_core.cards import Control
from colorize_core.errors import OptionError
from colorize_core.prompted import lora

MODELS = ("sd15", "flux2-klein")
CONDITIONS = ("canny", "brightness", "softedge")
FIRST = ("autochrome", "ddcolor-tiny", "ddcolor-modelscope")  # models whose colours may begin
PROMPT = "add color to this image, natural colors, high quality"
NEGATIVE = "black and white, cartoon, low quality"
PHRASES = (
    "autumn leaves",
    "spring blossom",
    "blue sky",
    "golden hour",
    "overcast light",
    "1920s autochrome",
    "1950s kodachrome",
    "faded pastels",
    "navy suit",
    "red dress",
    "khaki uniform",
    "red brick",
)
MOST_FAST = 50  # steps that LCM was distilled on: its scheduler takes no more
MOST_LETTERS = 2000  # of a prompt; the text encoder reads some 75 words of it

CONTROLS = (
    Control("low", "Low threshold", "Fainter edges than this are left out.", 100, 0, 500),
    Control("high", "High threshold", "Edges begin where they are this strong.", 200, 0, 500),
    Control("blur", "Blur", "Of the copy that edges are sought in: against grain.", 1.0, 0, 5, 0.1),
    Control("steps", "Steps", "Of denoising; 4 to 8 when fast, else 20 to 30.", 6, 1, 100),
    Control("guidance", "Guidance", "How much the words count; low when fast.", 1.5, 1, 20, 0.1),
    Control("weight", "ControlNet weight", "How much the photo counts.", 1.0, 0, 2, 0.05),
    Control("strength", "Strength", "Share of the first colours drawn anew.", 0.6, 0.05, 1, 0.05),
    Control("lora_weight", "LoRA weight", "How much the LoRA counts.", 1.0, 0, 2, 0.05),
    Control("seed", "Seed", "Of the first variant; another one draws other colours.", 0, 0, 9999),
    Control("variants", "Variants", "Their seeds follow one another.", 1, 1, 8),
    Control("side", "Working size", "Side of a square with as many pixels.", 512, 64, 1024, 8),
)
QUICK = {"steps": 6, "guidance": 1.5}  # for `fast`: above 1, so that negative prompts count
THOROUGH = {"steps": 25, "guidance": 7.5}


@dataclass(frozen=True)
class PromptSettings:
    """What one prompted colorization is asked with. Raises OptionError for a value that is not
    allowed.

    `model`: one of MODELS; what it pays no heed to is in its card (models.py). `start`: begin from
    the colours of the model `first`, which draw() is then given; `strength` counts only there.
    `fast`: few steps with LCM-LoRA; give QUICK or THOROUGH with it. `keep`: the photo's own L with
    the chroma of what was drawn, else the drawn picture as it is. `lora`: "" or one whose file and
    commit are known, as lora.look_up() names it."""

    model: str = MODELS[0]
    prompt: str = PROMPT
    negative: str = NEGATIVE
    condition: str = CONDITIONS[0]
    low: int = 100
    high: int = 200
    blur: float = 1.0
    steps: int = 6
    guidance: float = 1.5
    weight: float = 1.0
    strength: float = 0.6
    seed: int = 0
    variants: int = 1
    side: int = 512
    start: bool = False
    fast: bool = True
    keep: bool = True
    first: str = FIRST[0]
    lora: str = ""
    lora_weight: float = 1.0

    def __post_init__(self) -> None:
        for control in CONTROLS:
            object.__setattr__(self, control.name, control.read(getattr(self, control.name)))
        for name, known in (("model", MODELS), ("condition", CONDITIONS), ("first", FIRST)):
            if (value := getattr(self, name)) not in known:
                raise OptionError(f"{name} is {value!r}, allowed are: {', '.join(known)}.")
        if self.low > self.high:
            raise OptionError(
                f"The low threshold {self.low} is above the high one, {self.high}. Swap them."
            )
        if self.model == "sd15" and self.fast and self.steps > MOST_FAST:
            raise OptionError(
                f"steps is {self.steps}, allowed is at most {MOST_FAST} where fast is on. Turn "
                "fast off, or ask for fewer: 4 to 8 do."
            )
        for name in ("prompt", "negative", "lora"):
            _check_text(name, getattr(self, name))
        for name in ("start", "fast", "keep"):
            if not isinstance(getattr(self, name), bool):
                raise OptionError(f"{name} is {getattr(self, name)!r}, allowed are: true, false.")
        lora.check(self.lora)

    @property
    def seeds(self) -> tuple[int, ...]:
        """One for each variant."""
        return tuple(range(self.seed, self.seed + self.variants))


def toggle_phrase(prompt: str, phrase: str) -> str:
    """The prompt with one of PHRASES after a comma; without it where it is there already."""
    parts = [part.strip() for part in prompt.split(",")]
    others = [part for part in parts if part and part.casefold() != phrase.casefold()]
    there = phrase.casefold() in (part.casefold() for part in parts)
    return ", ".join(others if there else [*others, phrase])


def _check_text(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise OptionError(f"{name} is {text!r}, words are needed.")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise OptionError(f"{name} has letters that are none in Unicode. Type it again.")
    if len(text) > MOST_LETTERS:
        raise OptionError(
            f"{name} has {len(text):,} letters, at most {MOST_LETTERS:,} are taken. Shorten it."
        )

"""What is known of a model before anything of it is loaded."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from colorize_core.errors import OptionError
from colorize_core.sizes import format_number

Value = float | int | str


@dataclass(frozen=True)
class Control:
    """One option of predict() that a model has beyond those of all: a number within limits, or
    one of some choices."""

    name: str  # as predict() takes it
    label: str
    info: str
    default: Value
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """Its values in words."""
        if self.choices:
            return ", ".join(self.choices)
        whole = "a whole number from " if isinstance(self.default, int) else ""
        return f"{whole}{self.low:g} to {self.high:g}"

    def read(self, value: object) -> Value:
        """The value, an int where the default is one. Raises OptionError where it is not
        allowed."""
        if self.choices:
            if value not in self.choices:
                raise OptionError(f"{self.name} is {value!r}, allowed are: {self.allowed}.")
            return str(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise OptionError(
                f"{self.name} is {value!r}, a number is needed; allowed is {self.allowed}."
            )
        if not self.low <= value <= self.high or (isinstance(self.default, int) and value % 1):
            raise OptionError(f"{self.name} is {format_number(value)}, allowed is {self.allowed}.")
        return int(value) if isinstance(self.default, int) else float(value)

    def parse(self, text: str) -> Value:
        """read() of what was typed."""
        if self.choices:
            return self.read(text)
        value: object = text  # of which read() says that it is no number
        with suppress(ValueError):
            value = float(text)
        return self.read(value)


SEED = Control("seed", "Seed", "Another number draws other colours.", 0, 0, 9999)

NATURAL_SKIN = Control(
    "natural_skin",
    "People: natural skin",
    "How much the colours of real skin decide those of faces. No skin is made lighter.",
    1.0,
    0.0,
    1.0,
    0.05,
)

AUTO_VIVIDNESS = Control(
    "auto_vividness",
    "Muted photographs",
    "How much more colour they get where they come out muted, as old ones do.",
    1.0,
    0.0,
    1.0,
    0.05,
)


RECOMMENDED, LESSON = "recommended", "kept as a lesson"


@dataclass(frozen=True)
class WeightFile:
    """One file with weights: bundled, in a repository of the Hugging Face Hub, or elsewhere."""

    path: str  # bundled: below weights/; else its name in its repository, or in its address
    sha256: str  # lower-case hexadecimal, or its first digits; "": the Hub's own is checked
    bytes: int  # 0: not known
    repo: str = ""  # "owner/name" on the Hub; "" with no address: bundled
    revision: str = ""  # a commit; "": none is pinned, the newest is taken
    address: str = ""  # https address of a file that is not on the Hub

    @property
    def bundled(self) -> bool:
        """Whether it ships with the repository, and so needs no download."""
        return not (self.repo or self.address)

    @property
    def origin(self) -> str:
        """The address that a download comes from: of its repository on the Hub, or its own."""
        return self.address or f"https://huggingface.co/{self.repo}"


@dataclass(frozen=True)
class ModelCard:
    """One model: names and facts for lists, tabs, the README table and the generated card."""

    name: str  # as in load(name) and --model
    title: str  # for people
    summary: str  # one sentence
    paper: str  # citation or address; empty for none
    licence: str
    parameters: int
    weights: tuple[WeightFile, ...]
    trained_on: str
    limits: str  # what it is known to do badly
    mark: str = ""  # a word on it where models are chosen: RECOMMENDED or LESSON
    takes_hints: bool = False
    controls: tuple[Control, ...] = ()  # what predict() takes beyond the options of all models
    beside: str = ""  # the name of a model that this one is to be seen beside
    network_side: int = 0  # the photo is fitted to side x side pixels of area; 0: its own size
    source: str = ""  # address of the original; empty where it is at home here

    def check_hints(self) -> None:
        """Raises OptionError where it takes none."""
        if not self.takes_hints:
            raise OptionError(f"The model {self.name!r} takes no colour hints.")

    @property
    def bytes(self) -> int:
        """Of its weight files, as far as their size is known."""
        return sum(file.bytes for file in self.weights)

    @property
    def download(self) -> int:
        """Bytes that have to be downloaded once, as far as their size is known; 0 for a bundled
        model."""
        return sum(file.bytes for file in self.weights if not file.bundled)

    @property
    def sampled(self) -> bool:
        """Whether it draws its colours, other ones for another seed."""
        return SEED in self.controls

    @property
    def digest(self) -> str:
        """Eight digits of each weight file's sha256, which tell what a figure was measured with."""
        return "+".join((file.sha256 or file.revision)[:8] for file in self.weights)

    def settings(self, values: dict[str, object]) -> dict[str, Value]:
        """Every control's value, the default where none is given. Raises TypeError for a name that
        is no control, OptionError for a value that is not allowed."""
        for name in values.keys() - {control.name for control in self.controls}:
            raise TypeError(f"the model {self.name!r} has no option {name!r}")
        return {each.name: each.read(values.get(each.name, each.default)) for each in self.controls}

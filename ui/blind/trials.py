"""The blind tests without their pictures: what is asked, what was answered, what follows from it.

Everything is computed from the rounds in their order, so whoever has them can compute it again.
"""

from __future__ import annotations

import csv
import io
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import NormalDist
from typing import Any, Generic, NamedTuple, TypeVar

from colorize_core.cards import SEED
from colorize_core.row_file import protect

REAL, PREFER = "real", "prefer"  # the two questions
SIDES = ("A", "B")  # left and right, or above and below
NEITHER = "neither"
ORIGINAL, WRONG = "*original", "*wrong"  # in place of a model's name, and never one
CATCH_SHARE = 1 / 8  # of the rounds have wrong colours, so that inattention is seen
K, START = 32.0, 1500.0  # Elo, "The Rating of Chessplayers" (1978)
TRIAL_COLUMNS = ("time", "photo", "model", "side", "guess", "right", "catch", "seen", "seconds")
CHOICE_COLUMNS = ("time", "photo", "a", "b", "choice", "seconds")

T = TypeVar("T")


# --- what is asked --------------------------------------------------------------------------------


class Plan(NamedTuple):
    """One round."""

    photo: int  # its number
    pair: tuple[str, str]  # a model's name, ORIGINAL or WRONG, in the order of SIDES
    seed: int  # for a model that draws its colours

    @property
    def catch(self) -> bool:
        return WRONG in self.pair

    @property
    def model(self) -> str:
        """The one whose colours stand beside the original's; empty where they are wrong."""
        return next((name for name in self.pair if name not in (ORIGINAL, WRONG)), "")


class Bag(Generic[T]):
    """Draws everything once in random order, then everything again."""

    def __init__(self, items: Iterable[T], rng: random.Random):
        self._items, self._rng = list(items), rng
        self._left: list[T] = []

    def draw(self, but: T | None = None) -> T:
        """The next one that is not `but`, of which there must be one."""
        if all(item == but for item in self._left):
            self._left += self._rng.sample(self._items, len(self._items))
        drawn = next(item for item in self._left if item != but)
        self._left.remove(drawn)
        return drawn


class Planner:
    """Plans round after round: no photo and no model again before all were drawn, sides at
    random."""

    def __init__(self, question: str, photos: int, models: Sequence[str], rng: random.Random):
        self._question, self._rng = question, rng
        self._photos, self._models = Bag(range(photos), rng), Bag(models, rng)
        self._planned = 0

    def plan(self) -> Plan:
        pair = self._draw_pair()
        if self._rng.random() < 0.5:
            pair = pair[::-1]
        self._planned += 1
        return Plan(self._photos.draw(), pair, self._rng.randint(int(SEED.low), int(SEED.high)))

    def _draw_pair(self) -> tuple[str, str]:
        if self._question == PREFER:
            first = self._models.draw()
            return first, self._models.draw(but=first)
        catch = self._planned > 0 and self._rng.random() < CATCH_SHARE
        return ORIGINAL, WRONG if catch else self._models.draw()


# --- what was answered ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """One round of "Which is real?"."""

    time: str  # ISO 8601, UTC
    photo: str  # name of the file
    key: str  # of its content: the same photo under another name has been seen, too
    model: str  # empty in a catch trial
    side: str  # where the original was, one of SIDES
    guess: str  # which was taken for it
    catch: bool
    seen: bool  # the photo had been shown in a round before, so its true colours were known
    seconds: float  # from seeing both to the guess

    @property
    def right(self) -> bool:
        return self.guess == self.side

    @property
    def counts(self) -> bool:
        """Whether it says anything about a model."""
        return not self.catch and not self.seen

    @property
    def sound(self) -> bool:
        return self.side in SIDES and self.guess in SIDES


@dataclass(frozen=True)
class Choice:
    """One round of "Which do you prefer?"."""

    time: str
    photo: str
    a: str  # the models
    b: str
    choice: str  # one of SIDES, or NEITHER
    seconds: float

    @property
    def sound(self) -> bool:
        return self.choice in (*SIDES, NEITHER) and self.a != self.b


_TYPES: dict[Any, Any] = {"str": str, "bool": bool, "float": (int, float)}
Kind = TypeVar("Kind", Trial, Choice)


@dataclass(frozen=True)
class Results:
    """All rounds in their order, as the browser keeps them."""

    trials: tuple[Trial, ...] = ()
    choices: tuple[Choice, ...] = ()

    @classmethod
    def read(cls, kept: Any) -> Results:
        """From what a browser sends: what is no round is left out."""
        kept = kept if isinstance(kept, dict) else {}
        return cls(
            _read_rounds(Trial, kept.get("trials")), _read_rounds(Choice, kept.get("choices"))
        )

    def dump(self) -> dict[str, Any]:
        """For the browser: read() gives the same again."""
        return asdict(self)

    def __len__(self) -> int:
        return len(self.trials) + len(self.choices)


def _read_rounds(kind: type[Kind], rows: Any) -> tuple[Kind, ...]:
    found = (_read_round(kind, row) for row in (rows if isinstance(rows, list | tuple) else ()))
    return tuple(each for each in found if each is not None and each.sound)


def _read_round(kind: type[Kind], row: Any) -> Kind | None:
    kinds = {each.name: _TYPES[each.type] for each in fields(kind)}
    values: dict[str, Any] = (
        {name: row.get(name) for name in kinds} if isinstance(row, dict) else {}
    )
    sound = all(isinstance(values.get(name), kinds[name]) for name in kinds)
    return kind(**values) if sound else None


# --- what follows ---------------------------------------------------------------------------------


def compute_wilson(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a share of hits among n: Wilson (1927), without correction for continuity.
    (0, 1) where nothing has been counted."""
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, part = hits / n, z * z / n
    middle = (share + part / 2) / (1 + part)
    reach = math.sqrt(share * (1 - share) * part + part * part / 4) / (1 + part)
    # At 0 and n the exact bounds are 0 and 1; rounding must not pass them.
    return max(0.0, middle - reach), min(1.0, middle + reach)


class Rate(NamedTuple):
    """How often a model's colours were taken for the original's."""

    model: str
    fooled: int
    n: int

    @property
    def share(self) -> float:
        return self.fooled / self.n

    @property
    def interval(self) -> tuple[float, float]:
        return compute_wilson(self.fooled, self.n)


def rate_fooling(trials: Iterable[Trial]) -> list[Rate]:
    """Every model's rate, the highest first; catch trials and photos seen before do not count."""
    answers: defaultdict[str, list[bool]] = defaultdict(list)
    for trial in trials:
        if trial.counts:
            answers[trial.model].append(not trial.right)
    rates = [Rate(model, sum(fooled), len(fooled)) for model, fooled in answers.items()]
    return sorted(rates, key=lambda rate: (-rate.share, -rate.n, rate.model))


def count_caught(trials: Iterable[Trial]) -> tuple[int, int]:
    """In how many catch trials the original was found, and of how many."""
    found = [trial.right for trial in trials if trial.catch]
    return sum(found), len(found)


class Rating(NamedTuple):
    model: str
    rating: float
    n: int
    wins: int
    ties: int


def compute_elo(choices: Iterable[Choice]) -> list[Rating]:
    """Every model's rating after all rounds in their order, the highest first."""
    ratings: defaultdict[str, float] = defaultdict(lambda: START)
    scores: defaultdict[str, list[float]] = defaultdict(list)
    for each in choices:
        score = {SIDES[0]: 1.0, SIDES[1]: 0.0, NEITHER: 0.5}[each.choice]
        expected = 1 / (1 + 10 ** ((ratings[each.b] - ratings[each.a]) / 400))
        ratings[each.a] += K * (score - expected)
        ratings[each.b] -= K * (score - expected)
        scores[each.a].append(score)
        scores[each.b].append(1 - score)
    table = [
        Rating(model, ratings[model], len(own), own.count(1.0), own.count(0.5))
        for model, own in scores.items()
    ]
    return sorted(table, key=lambda line: (-line.rating, line.model))


def write_csv(columns: Sequence[str], rounds: Iterable[Trial | Choice]) -> str:
    """A line a round below the names of the columns; yes and no are 1 and 0."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for each in rounds:
        values = (getattr(each, column) for column in columns)
        cells = (int(value) if isinstance(value, bool) else value for value in values)
        writer.writerow([protect(str(cell)) for cell in cells])
    return text.getvalue()

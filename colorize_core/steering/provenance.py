"""What the colours of a picture come from: the models, their weights, the settings, and which
colours are known. Torch-free.

A file holds a record as JSON:

    {"version": 1, "software": "Autochrome Studio 0.1.0",
     "models": [{"name": "autochrome", "weights": "SHA-256 of each file"}],
     "settings": {"vividness": 1.0, ...}, "hints": [{"x": 0.5, "y": 0.4, "ab": [12, 30]}]}

`settings` may get more names within a version; whoever reads it passes over those that it does not
know. What pictures are called that a trained algorithm has a part in: IPTC NewsCodes, Digital
Source Type, http://cv.iptc.org/newscodes/digitalsourcetype/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from colorize_core.cards import ModelCard
from colorize_core.errors import OptionError
from colorize_core.options import Options, Second
from colorize_core.prepare.preparation import RESULT, Preparation
from colorize_core.steering.hints import Hint, read_hints

VERSION = 1
SOFTWARE = "Autochrome Studio"
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# "Augmentation, correction or enhancement using a Generative AI model": the colours were not in the
# photograph. "algorithmicallyEnhanced" is for what adds nothing, as sharpening does.
ADDED = SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
DRAWN = SOURCE_TYPES + "trainedAlgorithmicMedia"  # "Created using Generative AI"
REPAIRED = SOURCE_TYPES + "algorithmicallyEnhanced"  # gray as it was, with damage filled
BY_HAND = SOURCE_TYPES + "humanEdits"  # "using non-generative tools"
MOST_BYTES = 2_000_000  # of a record that is read: 500 hints with notes have at most 1.1 million
MOST_LEVELS = 12  # of its JSON
MOST_NOTES = 5  # in the statement
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _name_software() -> str:
    import colorize_core  # which imports this

    return f"{SOFTWARE} {colorize_core.__version__}"


@dataclass(frozen=True)
class Record:
    """Where the colours of one picture come from."""

    models: tuple[tuple[str, str], ...]  # name and weights; none where colours were chosen by hand
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)  # as JSON has them
    hints: tuple[Hint, ...] = ()
    drawn: bool = False  # a model has made all of it, not only its colours
    software: str = field(default_factory=_name_software)  # name and version
    left_out: int = 0  # hints that the file had no room for

    @property
    def coloured(self) -> bool:
        """Whether any colours were put in."""
        return self.settings.get("strength") != 0

    @property
    def source_type(self) -> str:
        """The term of IPTC's vocabulary, as an address."""
        if not self.coloured:
            return REPAIRED
        if not self.models:
            return BY_HAND
        return DRAWN if self.drawn else ADDED

    @property
    def statement(self) -> str:
        """What anybody who sees the picture should know, in words."""
        models = ", ".join(name for name, _ in self.models)
        if not self.coloured:
            said = f"No colours added by {self.software}"
        elif not self.models:
            said = f"Colours chosen by hand in {self.software}. They are guesses"
        elif self.drawn:
            said = f"Drawn anew by {self.software} with {models}: all of it is invented"
        else:
            said = f"Colours added by {self.software} with {models}. They are guesses"
        known = [hint for hint in self.hints if hint.known]
        if known and self.coloured and not self.drawn:
            places = f"{len(known)} place{'s' * (len(known) > 1)}"
            said += f", except at {places} where they are known"
            notes = list(dict.fromkeys(hint.note.strip() for hint in known if hint.note.strip()))
            more = [f"{len(notes) - MOST_NOTES} more"] if len(notes) > MOST_NOTES else []
            said += ": " * bool(notes) + "; ".join([*notes[:MOST_NOTES], *more])
        return _clean(" ".join([f"{said.rstrip('.')}.", *self._list_repairs()]))

    def _list_repairs(self) -> list[str]:
        """What was done to the photo beside its colours, a sentence each."""
        prepare = self.settings.get("prepare")
        done = prepare if isinstance(prepare, Mapping) else {}  # other programs may write a record
        said = {
            "damage": "Places that were taken for dust, scratches or folds are filled from around.",
            "screen": "The dots of a printing screen, if there were any, are removed.",
        }
        return [said[name] for name in said if done.get(name) == RESULT]

    def cut(self, count: int) -> Record:
        """The same with so many of its hints, the known ones first."""
        kept = sorted(self.hints, key=lambda hint: not hint.known)[:count]
        left_out = self.left_out + len(self.hints) - len(kept)
        return replace(self, hints=tuple(kept), left_out=left_out) if left_out else self

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        told: dict[str, Any] = {
            "version": VERSION,
            "software": self.software,
            "models": [{"name": name, "weights": weights} for name, weights in self.models],
            "settings": dict(self.settings),
            "hints": [hint.as_dict() for hint in self.hints],
        }
        told |= {"drawn": True} if self.drawn else {}
        return told | ({"hints_left_out": self.left_out} if self.left_out else {})

    def write(self) -> str:
        """As JSON, without what XML cannot hold."""
        return _clean(json.dumps(self.as_dict(), ensure_ascii=False))

    @classmethod
    def read(cls, text: str) -> Record:
        """From what write() gives. Raises ValueError for anything else, other versions too."""
        if len(text) > MOST_BYTES:
            raise ValueError("a record that is too large")
        try:
            told = json.loads(text)
            if told["version"] != VERSION:
                raise ValueError(f"a record of version {told['version']}")
            if not _is_shallow(told):
                raise ValueError("a record of too many levels")
            models = tuple((str(each["name"]), str(each["weights"])) for each in told["models"])
            hints, settings = read_hints(told.get("hints", [])), dict(told["settings"])
            software, left_out = str(told["software"]), int(told.get("hints_left_out", 0))
        except ValueError:
            raise
        except Exception as error:  # whatever is not where it should be
            raise ValueError("a damaged record") from error
        return cls(models, settings, hints, bool(told.get("drawn")), software, left_out)


def _is_shallow(told: Any, levels: int = MOST_LEVELS) -> bool:
    """Whether it can be written again wherever it was read."""
    inner = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    return levels > 0 and all(_is_shallow(each, levels - 1) for each in inner)


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)


def make_record(models: Iterable[str], settings: Mapping[str, Any], **more: Any) -> Record:
    """Of a picture that these models have a part in. `more` are further fields."""
    named = dict.fromkeys(models)
    return Record(tuple((name, _find_weights(name)) for name in named), settings, **more)


def describe_options(options: Options) -> Record | None:
    """Of a photo that was colorized with these; None where no colour was put in
    and nothing filled."""
    return record_options(options) if options.strength or options.prepare.shows else None


def record_options(options: Options) -> Record:
    """What read_options() takes."""
    own = {each.name: getattr(options, each.name) for each in fields(Options)}
    del own["model"], own["hints"], own["finish"], own["second"], own["prepare"]
    settings = own | {"controls": dict(options.controls)}
    if finish := options.finish.as_dict():
        settings["finish"] = finish
    if prepare := options.prepare.as_dict():
        settings["prepare"] = prepare
    models = [options.model]
    if options.second:
        settings["second"] = options.second.as_dict()
        models.append(options.second.model)
    return make_record(models, settings, hints=options.hints)


def read_options(record: Record) -> Options:
    """What the photo was colorized with. Raises OptionError where it is of several models or
    regions, drawn from words, of a model that is not known here, or not allowed."""
    told = {each.name: record.settings.get(each.name, each.default) for each in fields(Options)}
    second = Second.read(told["second"])
    if len(record.models) != (2 if second else 1) or "vividness" not in record.settings:
        raise OptionError("Its colours are not those of one model on a whole photo.")
    name = record.models[0][0]
    numbers = (told["vividness"], told["strength"], told["gain"])
    options = Options.read(
        name, *numbers, told["neutralize"], variant=told["variant"], finish=told["finish"]
    )
    card = _find_card(name)
    missing = [each for each, _ in record.models if _find_card(each) is None]
    if card is None or missing:
        raise OptionError(f"It was made with the model {missing[0]}, which is not here.")
    try:
        controls = dict(told["controls"])
        checked = card.settings(controls)
    except (TypeError, ValueError) as error:
        raise OptionError(f"Its settings are not those of the model {name}: {error}.") from error
    own = tuple((control, checked[control]) for control in controls)
    prepare = Preparation.read(told["prepare"])
    return replace(options, controls=own, hints=record.hints, second=second, prepare=prepare)


def _find_card(name: str) -> ModelCard | None:
    from colorize_core.models.registry import cards  # which stands on all that stands on this

    return next((card for card in cards(downloads=True) if card.name == name), None)


def _find_weights(name: str) -> str:
    """The hash of each of its weight files."""
    card = _find_card(name)
    return "+".join(file.sha256 or file.revision for file in card.weights) if card else ""

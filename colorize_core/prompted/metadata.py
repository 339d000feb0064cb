"""The prompt, the seed and the settings in a picture's record, and back."""

from __future__ import annotations

from dataclasses import asdict, fields

from colorize_core.errors import OptionError
from colorize_core.prompted.settings import PromptSettings
from colorize_core.prompted.sources import list_needed
from colorize_core.steering.provenance import Record

KEY = "prompted"  # of the record's settings
LATER = {"first", "lora", "lora_weight"}  # settings that came in later


def describe_settings(settings: PromptSettings) -> Record:
    """Where the colours come from of what was drawn with these, with the weights' revisions."""
    models = tuple(
        (each.name, "+".join(dict.fromkeys(file.revision or file.sha256 for file in each.files)))
        for each in list_needed(settings)
    )
    return Record(models, {KEY: asdict(settings)}, drawn=not settings.keep)


def read_settings(record: Record | None) -> PromptSettings | None:
    """What a picture was drawn with; None where its record, if it has one, does not say that.

    Raises OptionError where the settings are damaged or not allowed."""
    if record is None or KEY not in record.settings:
        return None
    values = record.settings[KEY]
    known = {field.name for field in fields(PromptSettings)}
    # Pictures that were drawn before a setting was there have it as it then always was.
    if not isinstance(values, dict) or not known - LATER <= values.keys() <= known:
        strange = ", ".join(sorted(set(values) ^ known)) if isinstance(values, dict) else "all"
        raise OptionError(f"The settings in this picture do not fit: {strange}. Type them again.")
    return PromptSettings(**values)

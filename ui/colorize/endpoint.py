"""/colorize, /questions and /cancel: one photo in colour, and what to ask about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from colorize_core.errors import OptionError
from colorize_core.imaging.formats import ACCEPTED, CHOICES
from colorize_core.options import DEFAULT_MODEL, VARIANTS, Options
from colorize_core.prepare.preparation import Preparation
from ui.server.sessions import client_id
from ui.shared import endpoints
from ui.shared.service import Service, check_format

MOST_TEXT = 200_000  # characters of hints as JSON
ENDPOINT = f"""Colorize one photo and give it back at its full size, with its metadata.

photo: a picture file ({ACCEPTED});
the first of several pages or frames is taken, and colours of its own are set aside. model: a
model's name. vividness: 0 (timid) to 2 (saturated), 1 is the model's choice. strength: 0 to 1.5,
how much of the colour is put in. gain: 0.5 to 2, brightness of the network's copy only; below 1
helps blown-out skies. neutralize: take the tint of an old print out first.
format: JPEG, PNG, WebP or "TIFF, 16 bit". options: what the model has of its own, as
"seed=3,temperature=0.9"; /models says which, and what is allowed. hints: colours wanted at places,
as a JSON list of objects with x and y (0 to 1 from the top left corner) and ab (two numbers, Lab)
or colour ("#8a3324", "138,51,36", a name as "brick" or "army olive", or "gray"); the object around
each follows. /questions gives such hints. variant: 0, or up to {VARIANTS - 1} for another coherent
colouring, as far as the photo leaves a choice. prepare: what is done before, as "damage" (dust,
scratches and folds are filled) and "screen" (the dots of newspaper print are removed), with commas
between, for the colouring only; "damage=result" does it in the result as well.

Returns the result file, and one line on what was done (size, model, seconds, device, tint, how many
pictures the file holds if that is not one).
A name or value that is not known is refused, with what is. Calling /cancel from the same session
stops it."""

QUESTIONS = f"""Ask about a photo where it matters: its large regions whose colour is least sure.

photo: a picture file. model: a model's name; {DEFAULT_MODEL} asks. hints: what is known already, as
/colorize takes it: it is not asked again, nor are faces.

Returns a JSON list of at most seven questions, the one whose answer changes most first: x and y
(where to ask), outline (a polygon around the region, points in 0 to 1), weight (share of the photo,
times how far its likely colours lie apart), and colours, the likeliest first, each with ab, odds,
swatch (#rrggbb at the region's lightness) and hints: what to add to the hints of /colorize, and of
the next call, if that is the answer. Calling /cancel from the same session stops it."""

CANCEL = "Stop all that this session runs. Takes nothing and returns nothing."


class Endpoint:
    """Whose photo it is comes with every call."""

    def __init__(self, service: Service):
        self.service = service

    def colorize(
        self,
        photo: dict[str, Any] | None,
        model: str,
        vividness: float,
        strength: float,
        gain: float,
        neutralize: bool,
        format: str,
        options: str,
        hints: Any,
        variant: float,
        prepare: str,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> tuple[str, str]:
        """See ENDPOINT."""
        with endpoints.refuse(), self.service.task(client_id(request), progress) as task:
            given = parse_hints(hints)
            asked = Options.read(model, vividness, strength, gain, neutralize, given, variant)
            asked = asked.with_controls(**endpoints.parse_controls(asked.model, options))
            asked = replace(asked, prepare=Preparation.parse([prepare] if prepare else []))
            check_format(format)
            opened = self.service.photo(self.service.upload(photo))
            result = self.service.colorize(opened, asked, task)
            return str(self.service.export(result, format, task)), result.line

    def questions(
        self,
        photo: dict[str, Any] | None,
        model: str,
        hints: Any,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> list[dict[str, Any]]:
        """See QUESTIONS."""
        with endpoints.refuse(), self.service.task(client_id(request), progress) as task:
            asked = Options.read(model, 1, 1, 1, True, parse_hints(hints))
            opened = self.service.photo(self.service.upload(photo))
            opened.read(task)
            found = self.service.runner.ask(
                opened.pixels, opened.predict(self.service.runner, asked, task), asked, task
            )
            return [question.as_dict() for question in found]

    def cancel(self, request: gr.Request) -> None:
        """Stop what this session runs, for programs."""
        self.service.stop(client_id(request))


def parse_hints(given: Any) -> Any:
    """What was sent for hints: the text of JSON, or what it says. Raises OptionError."""
    if given is None or given == "":
        return ()
    if not isinstance(given, str):
        return given
    try:
        if len(given) > MOST_TEXT:
            raise ValueError("the text is too long")
        return json.loads(given)
    except (ValueError, RecursionError) as error:
        raise OptionError(f"hints are no JSON: {error}.") from error


def build(service: Service, photo: gr.Image, controls: Sequence[Any]) -> None:
    """The tab's own inputs, from the model to neutralize, and further ones."""
    on = Endpoint(service)
    format = endpoints.format_choice(CHOICES, "JPEG")
    options = gr.Textbox("", label="Options", visible=False)
    hints = gr.Textbox("[]", label="Hints", visible=False)  # of gr.JSON, MCP clients get no schema
    variant = gr.Number(0, label="Variant", visible=False)
    prepare = gr.Textbox("", label="Prepare", visible=False)
    endpoints.publish(
        on.colorize,
        [photo, *controls, format, options, hints, variant, prepare],
        [endpoints.make_file(), endpoints.make_text()],
        ENDPOINT,
        **endpoints.QUEUED,
    )
    endpoints.publish(
        on.questions,
        [photo, controls[0], hints],
        [endpoints.make_table("Questions")],
        QUESTIONS,
        **endpoints.QUEUED,
    )
    # Not listed, so no tool for MCP clients either: all of their calls share one session of Gradio.
    endpoints.publish(on.cancel, None, None, CANCEL, queue=False, api_visibility="undocumented")

"""/prompt: colours from words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import gradio as gr

from colorize_core.errors import ColorizeError
from colorize_core.prompted import plan
from colorize_core.prompted.settings import (
    CONDITIONS,
    CONTROLS,
    FIRST,
    QUICK,
    THOROUGH,
    PromptSettings,
)
from ui.prompt import requirements
from ui.prompt.session import PromptSession
from ui.server.sessions import client_id
from ui.shared import endpoints
from ui.shared.service import Service

if TYPE_CHECKING:
    from ui.prompt.generation import Generation

NAMES = (
    "prompt",
    "negative",
    "condition",
    "fast",
    "steps",
    "guidance",
    "weight",
    "start",
    "strength",
    "seed",
    "side",
    "keep",
    "first",
    "lora",
    "lora_weight",
)  # of PromptSettings, in the order of the parameters
LANE = "prompt"  # of the queue: who colours without words does not wait
ELSEWHERE = "The tab Prompt of the app says what that is, and downloads it; this does not."
_ALLOWED = {control.name: control.allowed for control in CONTROLS}
ENDPOINT = f"""Colour a photo as words describe it, with Stable Diffusion 1.5 and a ControlNet.

photo: a picture file. prompt: which colours things have. negative: what is to be kept out.
condition: what of the photo is followed: {", ".join(CONDITIONS)}. fast: few steps, by LCM-LoRA;
steps {QUICK["steps"]} and guidance {QUICK["guidance"]:g} go with it, {THOROUGH["steps"]} and
{THOROUGH["guidance"]:g} without it. steps: {_ALLOWED["steps"]}. guidance: {_ALLOWED["guidance"]},
how much the words count. weight: {_ALLOWED["weight"]}, how much the photo counts. start: begin from
the colours of the model `first`, not from noise; strength: {_ALLOWED["strength"]}, how much of them
is drawn anew; first: {", ".join(FIRST)}. seed: {_ALLOWED["seed"]}; another one draws other colours.
side: {_ALLOWED["side"]}, the working size. keep: only the colours are taken, on the photo's own
lightness and at its size. lora: a LoRA of the Hub that is on the machine,
owner/name/file.safetensors@commit, or nothing; lora_weight: {_ALLOWED["lora_weight"]}.

Returns a PNG in which the settings are written, and one line on what was done.
Refused, with the reason, where the weights are not on the machine: nothing is ever downloaded.
Drawing takes seconds on a GPU and minutes without. Calling /cancel from the same session stops it
within a step."""


class Endpoint:
    """Whose photo it is comes with every call; models and turn are shared with the tab."""

    def __init__(self, service: Service, generation: Callable[[], Generation]):
        self.service, self.generation = service, generation

    def prompt(
        self,
        request: gr.Request,
        photo: dict[str, Any] | None,
        prompt: str,
        negative: str,
        condition: str,
        fast: bool,
        steps: int,
        guidance: float,
        weight: float,
        start: bool,
        strength: float,
        seed: int,
        side: int,
        keep: bool,
        first: str,
        lora: str,
        lora_weight: float,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> tuple[str, str]:
        """See ENDPOINT."""
        service = self.service
        with endpoints.refuse(), service.task(client_id(request), progress) as task:
            settings = PromptSettings(
                prompt=prompt,
                negative=negative,
                condition=condition,
                fast=fast,
                steps=steps,
                guidance=guidance,
                weight=weight,
                start=start,
                strength=strength,
                seed=seed,
                side=side,
                keep=keep,
                first=first,
                lora=lora,
                lora_weight=lora_weight,
            )
            given = service.photo(service.upload(photo))
            requirements.check(plan.list_needed([settings]), ELSEWHERE)
            task.step(0.0, "Reading the photo")
            given.read(task)
            session = PromptSession.open(given, service)
            asked = [(settings, f"Seed {settings.seed}")]
            with closing(self.generation().draw(session, asked, task)) as drawing:
                for words, share in drawing:
                    task.step(share, words)
            if session.cell is None:  # drawn, and held back
                raise ColorizeError(session.cells[0].note)
            return str(session.save(session.cell, "PNG", service, task)), session.line()


def build(
    service: Service,
    generation: Callable[[], Generation],
    photo: gr.Image,
    controls: Mapping[str, Any],
) -> None:
    """`generation` brings torch when it is called. `controls`: those of the tab, by the names of
    PromptSettings."""
    endpoints.publish(
        Endpoint(service, generation).prompt,
        [photo, *(controls[name] for name in NAMES)],
        [endpoints.make_file(), endpoints.make_text()],
        ENDPOINT,
        **{**endpoints.QUEUED, "concurrency_id": LANE},
    )

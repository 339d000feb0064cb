"""The controls of the tab "Prompt": which colours things are to have, and how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import gradio as gr

from colorize_core.prompted import settings as known
from colorize_core.prompted.models import MODELS
from colorize_core.prompted.plan import FIRST_TITLES, TITLES
from colorize_core.prompted.settings import CONTROLS, NEGATIVE, PROMPT, PromptSettings
from ui.shared.handlers import Updates

NAMES = tuple(field.name for field in fields(PromptSettings))
EDGES = ("low", "high", "blur")  # what only Canny edges have
# Controls that do not always count.
SOMETIMES = (*EDGES, "condition", "negative", "fast", "guidance", "weight", "strength", "first")
_CONTROLS = {control.name: control for control in CONTROLS}


def read(values: Sequence[Any]) -> PromptSettings:
    """What the controls say, in the order of NAMES. Raises OptionError."""
    return PromptSettings(**dict(zip(NAMES, values, strict=True)))


def show(settings: PromptSettings) -> Updates:
    """The controls with these settings."""
    visible = show_needed(settings)
    return {n: {**gr.update(value=getattr(settings, n)), **visible.get(n, {})} for n in NAMES}


def show_needed(settings: PromptSettings) -> Updates:
    """The controls of SOMETIMES, there only where they count."""
    return {name: gr.update(visible=_counts(name, settings)) for name in SOMETIMES}


def _counts(name: str, settings: PromptSettings) -> bool:
    card = MODELS[settings.model]
    if name in EDGES:
        return card.conditions and settings.condition == "canny"
    if name == "first":
        return settings.start
    if name == "strength":
        return settings.start and name in card.controls
    own = {"condition": card.conditions, "negative": card.negative, "fast": card.fast}
    return own.get(name, name in card.controls)


def choose_speed(fast: bool) -> Updates:
    """Steps and guidance that go with it."""
    chosen = known.QUICK if fast else known.THOROUGH
    return {"steps": chosen["steps"], "guidance": chosen["guidance"]}


def choose_model(name: str, prompt: str, fast: bool) -> Updates:
    """What goes with the model: what it is, prompt, steps and guidance. A prompt that somebody has
    typed stays."""
    card = MODELS[name]
    typed = prompt not in {each.prompt for each in MODELS.values()}
    own = {"steps": card.steps, "guidance": card.guidance}
    return {
        "model": gr.update(info=card.line),
        "prompt": prompt if typed else card.prompt,
        **(choose_speed(fast) if card.fast else own),
    }


def build_words() -> tuple[gr.Textbox, list[gr.Button]]:
    """The prompt and what helps to find its words."""
    prompt = gr.Textbox(
        PROMPT, label="Prompt", info="Which colours things have, in your words.", lines=3
    )
    with gr.Row(elem_classes="chips"):
        chips = [gr.Button(phrase, size="sm") for phrase in known.PHRASES]
    return prompt, chips


def build_condition() -> gr.Radio:
    """What the drawing follows."""
    return gr.Radio(
        [(TITLES[name], name) for name in known.CONDITIONS],
        value=known.CONDITIONS[0],
        label="The drawing follows",
    )


def build_drawing() -> dict[str, Any]:
    """How it is drawn."""
    with gr.Row(elem_classes="own"):
        keep = gr.Checkbox(
            True, label="Keep the photo", info="Only colours are taken: every detail stays."
        )
        start = gr.Checkbox(
            False, label="Refine first colours", info="Those of another model, not noise alone."
        )
        fast = gr.Checkbox(True, label="Fast", info="Few steps, by LCM-LoRA.")
        variants = slider("variants")
    return {"keep": keep, "start": start, "fast": fast, "variants": variants}


class Advanced(NamedTuple):
    """What few need."""

    controls: dict[str, Any]
    look_up: gr.Button  # of the LoRA that is typed
    found: gr.HTML  # what is known of it


def build_advanced(public: bool) -> Advanced:
    """In public nobody looks a LoRA up: nothing could be downloaded."""
    first = next(iter(MODELS.values()))
    titles = [(card.title, name) for name, card in MODELS.items()]
    with gr.Accordion("Advanced", open=False, elem_classes="adjust"):
        negative = gr.Textbox(NEGATIVE, label="Negative prompt", info="What is to be kept out.")
        with gr.Row(elem_classes="own"):
            made: dict[str, Any] = {name: slider(name) for name in EDGES}
        model = gr.Radio(titles, value=first.name, label="Model", info=first.line)
        begin = gr.Radio(
            [(title, name) for name, title in FIRST_TITLES.items()],
            value=known.FIRST[0],
            label="First colours are those of",
            visible=False,
        )
        with gr.Row(elem_classes="own"):
            seed = gr.Number(0, precision=0, label="Seed", info=_CONTROLS["seed"].info)
            made |= {name: slider(name) for name in ("steps", "guidance", "weight")}
            made |= {name: slider(name) for name in ("strength", "side")}
        with gr.Column(visible=not public):
            lora = gr.Textbox(
                "",
                label="LoRA from the Hub",
                info="owner/name, and if need be the file and the revision: "
                "owner/name/file.safetensors@revision. It has to be made for the model above.",
                placeholder="owner/name",
            )
            look_up = gr.Button("Look the LoRA up", size="sm", elem_classes="get")
            found = gr.HTML(elem_classes="message")
            with gr.Row(elem_classes="own"):
                made["lora_weight"] = slider("lora_weight")
    one = {"negative": negative, "model": model, "first": begin, "seed": seed, "lora": lora}
    return Advanced({**one, **made}, look_up, found)


def slider(name: str) -> gr.Slider:
    control = _CONTROLS[name]
    return gr.Slider(
        control.low,
        control.high,
        control.default,
        step=control.step,
        label=control.label,
        info=control.info,
        visible=name != "strength",
    )

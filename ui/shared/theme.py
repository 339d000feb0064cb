"""The look: warm neutrals, one accent, the fonts of the reader's own system."""

from __future__ import annotations

import gradio as gr
from gradio.themes.utils import colors, sizes

FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

# From paper to ink.
STONE = colors.Color(
    name="stone",
    c50="#faf9f7",
    c100="#f3f1ed",
    c200="#e6e2dc",
    c300="#d3cec6",
    c400="#a39d94",
    c500="#736d65",
    c600="#57524b",
    c700="#3d3934",
    c800="#282522",
    c900="#1b1917",
    c950="#131110",
)
# The orange of the plates' dyed grains.
GRAIN = colors.Color(
    name="grain",
    c50="#fdf4ef",
    c100="#fae5d9",
    c200="#f4c8b1",
    c300="#eca380",
    c400="#e2794c",
    c500="#c95a2b",
    c600="#b04a1f",
    c700="#8f3b19",
    c800="#73321a",
    c900="#5f2c1a",
    c950="#33140a",
)


class AutochromeTheme(gr.themes.Base):  # type: ignore[misc]  # Gradio is not checked
    """Light and dark from the same names; nothing is loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue=GRAIN,
            secondary_hue=STONE,
            neutral_hue=STONE,
            radius_size=sizes.radius_md,
            text_size=sizes.text_md,
            font=FONT,
            font_mono=MONO,
        )
        self.name = "autochrome"
        self.set(
            body_background_fill="*neutral_50",
            body_background_fill_dark="*neutral_950",
            body_text_color="*neutral_900",
            body_text_color_dark="*neutral_100",
            body_text_color_subdued="*neutral_500",
            body_text_color_subdued_dark="*neutral_400",
            background_fill_primary="white",
            background_fill_primary_dark="*neutral_900",
            background_fill_secondary="*neutral_100",
            background_fill_secondary_dark="*neutral_900",
            border_color_primary="*neutral_200",
            border_color_primary_dark="*neutral_800",
            block_background_fill="transparent",
            block_background_fill_dark="transparent",
            block_border_width="0px",
            block_shadow="none",
            block_label_background_fill="transparent",
            block_label_background_fill_dark="transparent",
            block_info_text_color="*neutral_500",
            block_info_text_color_dark="*neutral_400",
            block_title_text_weight="550",
            input_background_fill="white",
            input_background_fill_dark="*neutral_900",
            input_border_width="1px",
            input_border_color="*neutral_300",
            input_border_color_dark="*neutral_700",
            input_border_color_focus="*primary_500",
            slider_color="*primary_500",
            slider_color_dark="*primary_400",
            button_secondary_background_fill="white",
            button_secondary_background_fill_dark="*neutral_900",
            button_secondary_background_fill_hover="*neutral_100",
            button_secondary_background_fill_hover_dark="*neutral_800",
            button_secondary_border_color="*neutral_300",
            button_secondary_border_color_dark="*neutral_700",
            button_secondary_text_color="*neutral_800",
            button_secondary_text_color_dark="*neutral_100",
            button_border_width="1px",
            button_small_text_weight="500",
            checkbox_background_color_selected="*primary_600",
            checkbox_background_color_selected_dark="*primary_500",
            checkbox_border_color_selected="*primary_600",
            checkbox_border_color_selected_dark="*primary_500",
            loader_color="*primary_500",
        )

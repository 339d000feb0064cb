"""The list of models in a browser: one that is not here, on a machine without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import NAMELESS, Visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
SIZE = (160, 120)  # of the photo, width and height


def test_a_model_that_is_not_here_is_offered_and_the_picture_stays(
    visit: Visit, gray_photo: Path
) -> None:
    page = visit()
    page.locator("#photo input[type=file]").set_input_files(gray_photo)
    page.get_by_role("button", name="Adjust").click()
    adjust = page.locator("#adjust")
    models = adjust.get_by_role("combobox", name="Model")
    expect(models).to_have_value("Autochrome · recommended")
    page.wait_for_timeout(500)  # Gradio draws what is in an accordion twice
    models.click()
    page.get_by_role("option", name="DDColor tiny · not to be had offline · recommended").click()
    expect(adjust).to_contain_text("220 MB, licence Apache-2.0. Not to be had offline.")
    assert page.evaluate(NAMELESS) == []
    adjust.get_by_role("button", name="Download 220 MB").click()
    expect(adjust.get_by_role("alert")).to_contain_text("HF_HUB_OFFLINE forbids to download it")
    expect(page.locator("#line")).to_contain_text("· Autochrome ·")
    models.click()
    page.get_by_role("option", name="U-Net GAN").first.click()
    expect(page.locator("#line")).to_contain_text("· U-Net GAN ·")
    expect(adjust.get_by_role("button", name="Download 220 MB")).to_be_hidden()

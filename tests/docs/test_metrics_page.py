"""docs/metrics.md is what its generator writes, and its sentences hold."""

from __future__ import annotations

from docs import metrics as page

TEXT = (page.HERE / "metrics.md").read_text(encoding="utf-8")


def test_the_page_is_up_to_date() -> None:
    assert page.refresh(TEXT) == TEXT, "run python -m docs.metrics"


def test_what_it_says_of_the_metrics_is_so() -> None:
    scores = page.score_distortions()
    gray, turned = scores["gray"], scores["other hues: turned 60°"]
    assert turned["psnr"] >= gray["psnr"]
    assert turned["r2"] >= gray["r2"]
    assert turned["ciede2000"] > gray["ciede2000"]
    assert scores["shifted by 2 pixels"]["ssim"] < gray["ssim"]
    assert scores["shifted by 2 pixels"]["ms-ssim"] < gray["ms-ssim"]
    assert scores["half the chroma"]["ciede2000"] < turned["ciede2000"]
    spoiled = {name: each["colourfulness-difference"] for name, each in scores.items()}
    del spoiled["truth"], spoiled["shifted by 2 pixels"]
    assert min(spoiled, key=lambda name: abs(spoiled[name])) == "blotches on gray"


def test_pictures_are_there() -> None:
    for name in ("metrics-examples.jpg", "metrics-tricks.jpg"):
        assert f"]({name})" in TEXT
        assert (page.HERE / name).exists()

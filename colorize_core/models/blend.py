"""Two models at once: the mean of what they give, in Lab. What one of them gets wrong, another one
of another kind seldom gets wrong in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colorize_core.cards import RECOMMENDED, Control
from colorize_core.models import ddcolor, deoldify
from colorize_core.models.cards import make_published_card

if TYPE_CHECKING:
    from colorize_core.models.blending import Blend

FIRST, SECOND = ddcolor.CARDS["ddcolor-modelscope"], deoldify.CARDS["deoldify-artistic"]
SHARE = Control(
    "share", "Share of the second model", f"How much of {SECOND.title}.", 0.5, 0.0, 1.0, 0.05
)
CARD = make_published_card(
    "ddcolor-deoldify",
    summary=f"The mean of what {FIRST.title} and {SECOND.title} give, in Lab.",
    # The row "DA+DDs" of its second set of tests; the order of what was merged is its author's.
    paper="dan64, HAVC (vs-deoldify), 2024, https://github.com/dan64/vs-deoldify, which measured "
    "such a mean on 23 photographs: CIEDE2000 8.0 on average, where these models alone have 8.9 "
    "and 9.4",
    parameters=FIRST.parameters + SECOND.parameters,
    trained_on=f"Not itself. {FIRST.title}: {FIRST.trained_on}. {SECOND.title}: "
    f"{SECOND.trained_on}",
    limits="As slow as both together. Where they disagree, its colours are duller than those of "
    "either.",
    mark=RECOMMENDED,
    controls=(SHARE,),
    network_side=max(FIRST.network_side, SECOND.network_side),
)
CARDS = {CARD.name: CARD}


def load(name: str = CARD.name, device: str = "auto") -> Blend:
    """Raises WeightsError or DeviceError."""
    from colorize_core.models.blending import Blend

    return Blend(CARD, ddcolor.load(FIRST.name, device), deoldify.load(SECOND.name, device))

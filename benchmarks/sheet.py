"""python -m benchmarks.sheet --photos ZIP-or-DIR... --out PNG : look at what models do.

A contact sheet of a fair sample of the photographs: of each the gray photo, every model's result
and the truth, by `recombine-256`.
"""

from __future__ import annotations

from pathlib import Path

import colorize_core
from benchmarks.options import make_parser
from colorize_core.metrics import protocol
from colorize_core.training.data import find_photos
from colorize_core.training.plots import draw_contact_sheet


def main() -> None:
    parser = make_parser(__doc__, photos=True, limit=24, device="auto")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--models", nargs="+", default=[card.name for card in colorize_core.cards()]
    )
    arguments = parser.parse_args()
    photos = find_photos(arguments.photos, arguments.limit)
    truths = [protocol.crop_square(photo.read()) for photo in photos]
    grays = [protocol.to_gray(truth) for truth in truths]
    columns = [grays]
    for name in arguments.models:
        model = colorize_core.load(name, arguments.device)
        made = [
            protocol.recombine(model.colorize(gray), truth)
            for gray, truth in zip(grays, truths, strict=True)
        ]
        columns.append(made)
    rows = [list(row) for row in zip(*columns, truths, strict=True)]
    draw_contact_sheet(rows, arguments.out, across=max(1, 12 // len(rows[0])))


if __name__ == "__main__":
    main()

"""What the tab "Compare" gives to take away: the grid, the table, and all of it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from colorize_core.evaluate import comparison
from colorize_core.evaluate.comparison import SECONDS, Result
from colorize_core.file_names import make_name
from colorize_core.imaging import image
from colorize_core.imaging.captions import draw_captioned_grid
from colorize_core.metrics import protocol
from colorize_core.steering.provenance import make_record
from ui.compare.session import CompareSession
from ui.server.temp_files import Folder

MAIN = ("psnr", "ciede2000", "colourfulness")  # the scores that stand under a picture


def grid_png(session: CompareSession, folder: Folder) -> Path:
    """The pictures with their captions. Raises PictureError where they were deleted meanwhile."""
    results = session.results()
    pictures = [session.picture(r.entry) if r.entry in session.made else None for r in results]
    sheet = draw_captioned_grid(
        pictures, [caption(session, each) for each in results], session.size
    )
    path = folder.new(_name(session, "-comparison", ".png"))
    shown = [each.entry for each in results if each.entry in session.made]
    models = [entry.model for entry in shown if entry.model]
    told = {"pictures": [entry.label for entry in shown]}
    record = make_record(models, told) if models else None
    image.write(path, image.Photo(sheet, None, image.Metadata(record=record), "PNG"))
    return path


def caption(session: CompareSession, result: Result) -> list[str]:
    """Name and settings, the main scores, and the seconds; or that there is no picture."""
    if result.error:
        return [result.entry.label, "failed"]
    taken = {each.name: each.title for each in session.metrics if each.name in MAIN}
    values = {title: result.value(name) for name, title in taken.items()}
    main = [
        f"{title} {comparison.format_figure(v, 2)}" for title, v in values.items() if v is not None
    ]
    seconds = result.value(SECONDS.name)
    time = [] if seconds is None else [f"{comparison.format_figure(seconds, 1)} s"]
    return [result.entry.label, " · ".join(main), *time]


def table_csv(session: CompareSession, folder: Folder) -> Path:
    """The table of scores."""
    path = folder.new(_name(session, "-scores", ".csv"))
    path.write_text(table(session), encoding="utf-8")
    return path


def all_zip(session: CompareSession, folder: Folder) -> Path:
    """Every picture as a PNG, and the table."""
    path = folder.new(_name(session, "-comparison", ".zip"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:  # PNGs do not shrink any further
        for entry in session.entries:
            if entry in session.made:
                picture = session.made[entry].path.read_bytes()
                ending = f"-{entry.slug}{'-colour' if entry.model else ''}"
                file.writestr(_name(session, ending, ".png"), picture)
        file.writestr(_name(session, "-scores", ".csv"), table(session))
    return path


def _name(session: CompareSession, ending: str, suffix: str) -> str:
    return make_name(session.photo.path.name, ending, suffix)


def table(session: CompareSession) -> str:
    """The scores of every picture as CSV."""
    results = session.results()
    judged = session.truth is not None
    several = comparison.pick_best_of_seeds(results, session.metrics) if judged else []
    columns = [*session.metrics, SECONDS]
    return comparison.format_csv(
        [*results, *several], columns, photo=session.name, protocol=protocol.WHOLE
    )


KINDS: dict[str, Callable[[CompareSession, Folder], Path]] = {
    "Grid, PNG": grid_png,
    "Table, CSV": table_csv,
    "All, ZIP": all_zip,
}

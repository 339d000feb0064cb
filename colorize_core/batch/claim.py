"""One archive run at a time in an output folder: who comes next may then clean up after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import Timeout

from colorize_core.batch.processes import OWNER
from colorize_core.errors import OptionError, SaveError
from colorize_core.folders import own_parts, remove_parts
from colorize_core.row_file import hold_lock

NAME = ".batch.lock"


@contextmanager
def claim(out: Path) -> Iterator[None]:
    """Have the folder alone, and remove what killed runs left half written in it. OptionError if
    another run has it, SaveError if it cannot be written. The system gives it back after a kill."""
    with ExitStack() as held:
        try:
            out.mkdir(parents=True, exist_ok=True)
            held.enter_context(hold_lock(out / NAME, 0.0))
        except Timeout as error:
            raise OptionError(
                f"Another run is at work in {out}: wait for its end, or choose another folder."
            ) from error
        except OSError as error:
            raise SaveError(
                f"{out} cannot be used: {error.strerror}. Choose another folder with --out."
            ) from error
        for folder in (out, *(path for path in out.rglob("*") if path.is_dir())):
            remove_parts(folder, OWNER)
        with own_parts(OWNER):
            yield

"""Which photos a batch takes: files, folders and patterns to a list of paths."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from colorize_core.errors import OptionError
from colorize_core.file_names import split_suffix
from colorize_core.imaging.formats import READABLE


@dataclass(frozen=True)
class Found:
    photos: tuple[Path, ...]
    base: Path  # the folder that the output mirrors: the deepest one that holds all inputs
    problems: tuple[str, ...]  # a sentence for what gave nothing, or cannot be read
    left_out: tuple[str, ...] = ()  # a sentence for each link to a folder, and one for other files
    left_out_count: int = 0  # of links and files


def find(inputs: Iterable[str | Path], out: Path, results: Collection[str] = ()) -> Found:
    """The photos that files, folders (with all below) and glob patterns name, in a fixed order.

    `out` is not searched, and `results` (see Manifest.results) are no inputs, so that a second run
    does not colorize what the first one wrote. Links to folders inside a folder are not followed.
    OptionError for an empty name, or if the inputs share no folder.
    """
    search = _Search(out)
    photos: dict[str, Path] = {}
    bases: list[str] = []
    for text in map(str, inputs):
        if not text:
            raise OptionError("The name of a photo is empty. Name files, folders or patterns.")
        for path, here in search.run(text):
            photos |= {name: p for p in here if (name := os.path.abspath(p)) not in results}
            bases += [os.path.abspath(path if os.path.isdir(path) else path.parent)] if here else []
    problems = tuple(search.problems)
    if not photos and not problems:
        problems = (f"{out} holds the results, which are no input: choose another with -o.",)
    left_out = len(search.links) + len(search.others)
    base = _find_common(bases)
    return Found(tuple(photos.values()), base, problems, search.describe_left_out(), left_out)


class _Search:
    """Goes through folders; notes what is not taken, and what cannot be read."""

    def __init__(self, out: Path) -> None:
        self.out = Path(os.path.realpath(out))
        self.top = Path()  # of what the input names, or may
        self.problems: list[str] = []
        self.links: set[str] = set()  # to folders
        self.others: dict[str, str] = {}  # suffixes of files that are no photos

    def run(self, text: str) -> list[tuple[Path, list[Path]]]:
        """Each path that the input names, and the photos there."""
        told = len(self.problems)
        paths, by_pattern = self._expand(text)
        found = [(path, self._list_photos(path, by_pattern)) for path in paths]
        given = any(here for _, here in found) or any(map(self._is_result, paths))
        if not given and len(self.problems) == told:
            self.problems.append(f"{text}: {_explain_nothing(by_pattern, bool(paths))}")
        return found

    def describe_left_out(self) -> tuple[str, ...]:
        links = [
            f"{link} is a link to a folder, which is not followed: name it to have it searched."
            for link in sorted(self.links)
        ]
        if not self.others:
            return tuple(links)
        kinds = sorted(Counter(suffix or "none" for suffix in self.others.values()).items())
        told = ", ".join(f"{suffix} ({count})" for suffix, count in kinds)
        count = len(self.others)
        has, left = ("file has", "is") if count == 1 else ("files have", "are")
        return (*links, f"{count} {has} no suffix of a photo and {left} left out: {told}.")

    def _expand(self, text: str) -> tuple[list[Path], bool]:
        """The paths that an input names, and whether it does so by a pattern."""
        path = self.top = Path(os.path.expanduser(text))  # Path's raises for an unknown ~name
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return (self._match(path), True) if glob.has_magic(text) else ([], False)
        except OSError as error:
            self._note(error)
            return [], False
        return [path], False

    def _match(self, pattern: Path) -> list[Path]:
        """What the pattern stands for: glob() says nothing of folders that cannot be read."""
        found = [Path(pattern.anchor)]
        while glob.has_magic(str(self.top)):
            self.top = self.top.parent
        for part in pattern.parts[bool(pattern.anchor) :]:
            found = [match for path in found for match in self._match_part(path, part)]
        return found

    def _match_part(self, folder: Path, part: str) -> list[Path]:
        if part == "**":
            return [here for here, _ in self._walk(folder)] if os.path.isdir(folder) else []
        try:
            if not glob.has_magic(part):
                os.lstat(folder / part)
                return [folder / part]
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self._note(error)
            return []
        shown = (name for name in names if part.startswith(".") or not name.startswith("."))
        return [folder / name for name in shown if fnmatch(name, part)]

    def _list_photos(self, path: Path, by_pattern: bool) -> list[Path]:
        if os.path.isdir(path):  # Path.is_dir() raises where it may not look
            files = (here / name for here, names in self._walk(path) for name in names)
            return [file for file in files if self._is_photo(file)]
        if not by_pattern:
            return [path]
        return [path] if not self._is_result(path) and self._is_photo(path) else []

    def _walk(self, folder: Path) -> Iterator[tuple[Path, list[str]]]:
        """The folder and all below with their files, but hidden folders and the results."""
        for here, folders, files in os.walk(folder, onerror=self._note):
            if self._is_result(Path(here)):
                folders.clear()
                continue
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            links = (Path(here, name) for name in folders if os.path.islink(Path(here, name)))
            self.links.update(str(link) for link in links if not self._is_result(link))
            yield Path(here), sorted(files)

    def _is_photo(self, file: Path) -> bool:
        if file.name.startswith("."):
            return False
        if split_suffix(file.name)[1]:
            return True
        suffix = file.suffix.lower()  # or what follows the last dot of a name: "Dr. Smith"
        self.others[os.path.abspath(file)] = suffix if suffix[1:].isalnum() else ""
        return False

    def _is_result(self, path: Path) -> bool:
        """Whether it lies in the output folder, and is not there because that holds all inputs."""
        inside = Path(os.path.realpath(path)).is_relative_to(self.out)
        return inside and self.out.is_relative_to(os.path.realpath(self.top))

    def _note(self, error: OSError) -> None:
        told = f"{error.filename} cannot be read: {error.strerror}."
        if told not in self.problems:
            self.problems.append(told)


def _explain_nothing(by_pattern: bool, there: bool) -> str:
    if by_pattern:
        return "no photo matches."
    if not there:
        return "there is no such file or folder."
    return f"this folder holds no photo ({', '.join(sorted(READABLE))})."


def _find_common(folders: Sequence[str]) -> Path:
    try:
        return Path(os.path.commonpath(folders) if folders else ".")
    except ValueError as error:  # on Windows
        raise OptionError(
            "The photos are on several drives, so there is no folder that the output could "
            "mirror. Run the command once for each drive."
        ) from error

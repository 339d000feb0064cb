"""CSV files that several programs at once add rows to, and that outlive a kill.

Whoever changes the file holds a lock beside it. A row is appended in one write; one that a kill or
a full disk cut off does not count, and makes room for the next. The file is rewritten under a
temporary name first.
"""

from __future__ import annotations

import csv
import errno
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from colorize_core.errors import SaveError
from colorize_core.folders import name_part

PATIENCE = 60.0  # seconds for which another program may hold the lock
POLL = 0.01  # seconds
NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)  # some network folders
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what spreadsheets compute begins with one
NUMBER = re.compile(r"[-+]?(\d+(\.\d+)?(e[-+]?\d+)?|inf|nan)", re.ASCII)
TEXT = "'"  # before a cell: spreadsheets then take it as text

Cells = tuple[str, ...]


def protect(cell: str) -> str:
    """The cell so that no spreadsheet computes it; restore() gives it back. Numbers stay. After
    OWASP's "CSV injection"."""
    computed = cell.startswith((*FORMULA, TEXT)) and not NUMBER.fullmatch(cell)
    return f"{TEXT}{cell}" if computed else cell


def restore(cell: str) -> str:
    """What protect() was given."""
    return cell[1:] if cell.startswith(TEXT) else cell


class RowFile:
    """Rows of text below the names of `columns`.

    `refuse` says in a sentence what is wrong with a file of other columns; those of `older` are
    read as well. `remedy` is what can be done where the file cannot be used.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        refuse: Callable[[list[str]], str],
        remedy: str,
        older: Sequence[Cells] = (),
    ) -> None:
        self.path = path
        self.columns = tuple(columns)
        self._headers = (self.columns, *older)
        self._refuse, self._remedy = refuse, remedy
        self._file = Path(os.path.realpath(path))  # a link stays a link
        self._inode = -1
        self._end = 0  # of what was read, in bytes
        self._last = b""  # the line before
        self.cut_off: Cells = ()  # what a kill left of one more row, its last cell perhaps in part
        self._width = len(self.columns)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Nobody else changes the file meanwhile. SaveError if it cannot be had."""
        place = self._file.with_name(f".{self._file.name}.lock")
        with self._in_words():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with hold_lock(place, PATIENCE):
                yield

    def read_new(self) -> list[Cells]:
        """The rows since the last call; all of them where the file was rewritten meanwhile.
        SaveError if it is something else, or cannot be read."""
        with self._in_words():
            try:
                with self._file.open("rb") as file:
                    if not self._goes_on(file):
                        self._inode, self._end, self._last = os.fstat(file.fileno()).st_ino, 0, b""
                    file.seek(self._end)
                    data = file.read()
            except FileNotFoundError:
                self._inode, self._end, self._last = -1, 0, b""
                return []
        end = _find_end(data)
        whole = data[:end]
        try:
            rows = _parse(whole)
            self.cut_off = next(iter(_parse(data[end:])), ())
        except csv.Error as error:  # a cell longer than any that was written
            raise SaveError(self._refuse([])) from error
        if self._end == 0 and data:
            header = rows.pop(0) if rows else ()
            if header not in self._headers and not self._begins_header(header, data):
                raise SaveError(self._refuse(list(header)))
            self._width = len(header)
        self._advance(whole)
        return [row for row in rows if len(row) == self._width]

    def append(self, row: Sequence[str]) -> None:
        """One row more. Only under lock(), after read_new()."""
        data = self._encode([row])
        with self._in_words(), self._file.open("r+b", buffering=0) as file:
            file.truncate(self._end)
            file.seek(self._end)
            _write_all(file, data)
        self._advance(data)

    def rewrite(self, rows: Iterable[Sequence[str]]) -> None:
        """These rows and no others. Only under lock(), after read_new()."""
        data = self._encode([self.columns, *rows])
        part = name_part(self._file)
        with self._in_words():
            try:
                part.write_bytes(data)
                self._inode = part.stat().st_ino
                os.replace(part, self._file)
            finally:
                part.unlink(missing_ok=True)
        self._end, self._last, self._width = 0, b"", len(self.columns)
        self._advance(data)

    @property
    def appendable(self) -> bool:
        """Whether the file is there, with these columns: else it is to be rewritten."""
        return self._end > 0 and self._width == len(self.columns)

    def _goes_on(self, file: io.BufferedReader) -> bool:
        """Whether it is the file that was read, and not another that took its place. Its number may
        be that of one that was deleted: the last line tells, too."""
        if os.fstat(file.fileno()).st_ino != self._inode or not self._end:
            return False
        file.seek(self._end - len(self._last))
        return file.read(len(self._last)) == self._last

    def _advance(self, whole: bytes) -> None:
        if whole:
            self._end += len(whole)
            self._last = whole[whole.rfind(b"\n", 0, -1) + 1 :]

    def _begins_header(self, header: Cells, data: bytes) -> bool:
        """Whether there is no row yet, and not the whole header."""
        return not header and self._encode([self.columns]).startswith(data)

    def _encode(self, rows: Iterable[Sequence[str]]) -> bytes:
        # File names need not be UTF-8: surrogateescape writes the bytes that they are made of.
        return "".join(map(_format, rows)).encode("utf-8", errors="surrogateescape")

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = error.strerror or "another program holds it"  # a Timeout says nothing else
            raise SaveError(f"{self.path} cannot be used: {why}. {self._remedy}") from error


@contextmanager
def hold_lock(place: Path, patience: float) -> Iterator[None]:
    """The lock that is a file there. OSError if another program holds it for so many seconds, or if
    it cannot be made. On a file system without locks there is none: one program needs none."""
    lock = FileLock(place, patience, poll_interval=POLL, preserve_lock_file=True)
    try:
        lock.acquire()
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    try:
        yield
    finally:
        # While it is held: whoever waits for it then makes another. Windows deletes no file that
        # is open; there it stays.
        with suppress(FileNotFoundError, PermissionError):
            place.unlink()
        lock.release()


def _format(row: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(map(protect, row))
    return f"{text.getvalue()[:-2]}\n"  # with "\n" alone it would not quote a "\r" in a cell


def _find_end(data: bytes) -> int:
    """Where the last whole row ends: at a line's end that is not inside quotes, of which there is
    an even number before it."""
    end = data.rfind(b"\n") + 1
    while end and data.count(b'"', 0, end) % 2:
        end = data.rfind(b"\n", 0, end - 1) + 1
    return end


def _write_all(file: io.FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _parse(data: bytes) -> list[Cells]:
    text = io.StringIO(data.decode("utf-8", errors="surrogateescape"), newline="")
    return [tuple(map(restore, row)) for row in csv.reader(text)]

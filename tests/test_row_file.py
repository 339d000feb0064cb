"""CSV files that several programs write at once, and what a kill leaves of them."""

from __future__ import annotations

import csv
import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import ROOT

from colorize_core import row_file
from colorize_core.errors import SaveError
from colorize_core.row_file import RowFile, protect, restore

COLUMNS = ("name", "value")
WRITER = """
import sys
from pathlib import Path
from colorize_core.row_file import RowFile

path, who, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
file, rows = RowFile(path, ("name", "value"), str, ""), {}
for number in range(count):
    with file.lock():
        rows |= {row[0]: row for row in file.read_new()}
        row = (f"{who} {number}", 'odd "text",\\nin two lines' * 20)
        rows[row[0]] = row
        if file.appendable and number % 10:
            file.append(row)
        else:
            file.rewrite(rows.values())
    print(row[0], flush=True)
"""


def start(path: Path, who: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), who, str(count)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def make(path: Path) -> RowFile:
    return RowFile(path, COLUMNS, lambda found: f"{path} is another", "Move it.")


def read(path: Path) -> dict[str, str]:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert all(len(row) == len(COLUMNS) for row in rows)
    return dict(rows)


def add(path: Path, *row: str) -> None:
    file = make(path)
    with file.lock():
        rows = file.read_new()
        if file.appendable:
            file.append(row)
        else:
            file.rewrite([*rows, row])


def test_programs_at_once_lose_no_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    writers = [start(path, who, 60) for who in "abc"]
    assert [writer.communicate(timeout=120)[0].count("\n") for writer in writers] == [60, 60, 60]
    assert set(read(path)) == {f"{who} {number}" for who in "abc" for number in range(60)}
    assert [each.name for each in tmp_path.iterdir()] == ["rows.csv"]


def test_a_kill_loses_no_row_but_the_one_being_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    told: set[str] = set()
    for number in range(6):
        with start(path, f"run {number}", 100_000) as killed:
            assert killed.stdout
            told.add(killed.stdout.readline().strip())
            time.sleep(0.02 * number)
            killed.kill()
            told |= {line.strip() for line in killed.stdout if line.endswith("\n")}
        assert told <= {row[0] for row in make(path).read_new()}
        add(path, f"after {number}", "")
        told.add(f"after {number}")
    assert told <= set(read(path))


def test_a_row_that_was_cut_off_anywhere_makes_room_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    add(path, "a", "first")
    before = path.read_bytes()
    add(path, "b", 'odd "text",\nin "two"\n lines')
    whole = path.read_bytes()
    for end in range(len(before), len(whole)):
        path.write_bytes(whole[:end])
        assert make(path).read_new() == [("a", "first")]
        add(path, "c", "next")
        assert read(path) == {"a": "first", "c": "next"}


def test_a_row_that_another_program_cut_off_meanwhile_does_not_swallow_the_next(
    tmp_path: Path,
) -> None:
    path = tmp_path / "rows.csv"
    file = make(path)
    with file.lock():
        file.read_new()
        file.rewrite([("a", "")])
    with path.open("a", encoding="utf-8") as other:
        other.write('b,"cut o')
    with file.lock():
        assert file.read_new() == []
        file.append(("c", ""))
    assert set(read(path)) == {"a", "c"}


@pytest.mark.skipif(os.name == "nt", reason="Windows locks otherwise")
def test_a_file_system_without_locks_holds_rows_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    add(tmp_path / "rows.csv", "a", "1")
    add(tmp_path / "rows.csv", "b", "2")
    assert read(tmp_path / "rows.csv") == {"a": "1", "b": "2"}
    assert [each.name for each in tmp_path.iterdir()] == ["rows.csv"]


def test_a_lock_that_another_holds_too_long_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_file, "PATIENCE", 0.05)
    path = tmp_path / "rows.csv"
    with make(path).lock(), pytest.raises(SaveError, match=r"another program holds it\. Move it\."):
        add(path, "a", "1")
    add(path, "a", "1")
    assert read(path) == {"a": "1"}


def test_rows_of_a_file_that_was_rewritten_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    add(path, "a", "1")
    file = make(path)
    assert file.read_new() == [("a", "1")]
    assert file.read_new() == []
    with (other := make(path)).lock():
        other.rewrite([("b", "2"), ("a", "1")])
    assert file.read_new() == [("b", "2"), ("a", "1")]
    path.unlink()
    assert file.read_new() == []
    assert not file.appendable


@pytest.mark.parametrize("text", ["hello", "name,price\nshoe,3\n", 'name\n"', "\0\n"])
def test_another_file_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(SaveError, match="is another"):
        make(path).read_new()
    assert path.read_text() == text


def test_a_header_that_was_cut_off_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    for part in ("", "na", "name,value"):
        path.write_text(part)
        add(path, "a", "1")
        assert read(path) == {"a": "1"}


def test_what_cannot_be_used_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for path in ("folder", "file/rows.csv", f"{'x' * 300}/rows.csv"):
        with pytest.raises(SaveError, match=r"cannot be used: .+\. Move it\."):
            make(tmp_path / path).read_new()
        with pytest.raises(SaveError, match="Move it"):
            add(tmp_path / path, "a", "1")


@pytest.mark.skipif(os.name == "nt", reason="Windows limits no file")
@pytest.mark.parametrize("change", ["append(row)", "rewrite([('a', '1'), row])"])
def test_a_full_disk_is_said_and_leaves_the_rows(tmp_path: Path, change: str) -> None:
    path = tmp_path / "rows.csv"
    add(path, "a", "1")
    code = f"""
import resource, sys
from pathlib import Path
from colorize_core.errors import SaveError
from colorize_core.row_file import RowFile

resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))
file, row = RowFile(Path(sys.argv[1]), ("name", "value"), str, "Make room."), ("b", "2" * 100)
try:
    with file.lock():
        file.read_new()
        file.{change}
except SaveError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{path} cannot be used: File too large. Make room.\n"
    assert [each.name for each in tmp_path.iterdir()] == ["rows.csv"]
    add(path, "c", "3")
    assert read(path) == {"a": "1", "c": "3"}


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'quoted"])
def test_what_a_spreadsheet_would_compute_is_text(tmp_path: Path, cell: str) -> None:
    add(tmp_path / "rows.csv", cell, cell)
    assert read(tmp_path / "rows.csv") == {f"'{cell}": f"'{cell}"}
    assert make(tmp_path / "rows.csv").read_new() == [(cell, cell)]


def test_numbers_stay_numbers() -> None:
    for cell in ("-1", "+2", "-0.5", "-1.5e-07", "-inf", "", "a=1"):
        assert protect(cell) == cell


@given(st.text(alphabet=st.sampled_from("=+-@'\t\r\n0.e5aä\"")))
def test_a_protected_cell_is_restored_exactly(cell: str) -> None:
    assert restore(protect(cell)) == cell

"""Records in files: written, read back, merged with what is there, and read by ExifTool."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colorize_core.errors import NotAPictureError, PictureError
from colorize_core.imaging import image, xmp
from colorize_core.imaging.formats import CHOICES
from colorize_core.imaging.records import join_record, split_record
from colorize_core.options import Options
from colorize_core.prepare.preparation import Preparation
from colorize_core.steering.hints import Hint
from colorize_core.steering.provenance import (
    ADDED,
    BY_HAND,
    DRAWN,
    REPAIRED,
    Record,
    describe_options,
    make_record,
    read_options,
)
from tests import image_files as files

HINTS = (
    Hint(0.5, 0.4, (12.0, 30.0)),
    Hint(0.2, 0.25, (40.0, 0.0), known=True, note='Letter <of> 1943 & "Brücke" \N{SNOWMAN}'),
)
OPTIONS = Options(vividness=1.2, hints=HINTS).with_controls(natural_skin=0.5)
FORMATS = [each.name for each in CHOICES.values()]
SOURCE = xmp.NAMESPACES["Iptc4xmpExt"] + "DigitalSourceType"
TOOL = xmp.NAMESPACES["xmp"] + "CreatorTool"
STATEMENT = xmp.NAMESPACES["autochrome"] + "Statement"
FOREIGN = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='" + xmp.RDF.encode() + b"'>\n"
    b" <rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'\n"
    b"   xmlns:e='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' xmlns:t='http://ns.adobe.com/xap/1.0/'\n"
    b"   t:CreatorTool = 'SilverFast > 8' e:DigitalSourceType='http://x/print'>\n"
    b"  <dc:creator><rdf:Seq><rdf:li>J. Doe</rdf:li></rdf:Seq></dc:creator>\n"
    b"  <dc:source/>\n"
    b" </rdf:Description>\n</rdf:RDF></x:xmpmeta>   \n<?xpacket end='w'?>"
)


@pytest.fixture
def record() -> Record:
    made = describe_options(OPTIONS)
    assert made
    return made


def properties(packet: bytes | None) -> dict[str, str]:
    assert packet
    return {each.name: each.text for each in xmp.Packet(packet).properties}


def name_file(folder: Path, format: str) -> Path:
    return folder / f"a{next(each.suffix for each in CHOICES.values() if each.name == format)}"


def exiftool(path: Path) -> dict[str, Any]:
    """What ExifTool reads of a file."""
    if not shutil.which("exiftool"):
        pytest.skip("exiftool is not installed")
    done = subprocess.run(
        ["exiftool", "-j", "-a", "-G1", "-struct", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)[0]
    return told


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_the_record_beside_what_it_had(
    tmp_path: Path, record: Record, format: str, alpha: bool, dtype: type
) -> None:
    pixels = files.soft().astype(dtype) * np.array(257 if dtype == np.uint16 else 1, dtype)
    cover = np.full(pixels.shape[:2], np.iinfo(dtype).max, dtype) if alpha else None
    metadata = image.Metadata(xmp=FOREIGN, exif=files.exif_block())
    photo = image.Photo(pixels, cover, metadata, "PNG").with_record(record)
    path = name_file(tmp_path, format)
    image.write(path, photo)
    found = image.read(path)
    assert found.metadata.record == image.read_record(path) == record
    assert found.metadata.exif
    assert SOURCE not in properties(found.metadata.xmp)
    assert b"J. Doe" in (found.metadata.xmp or b"")
    plain = image.decode(image.encode(photo.with_record(None), format))
    assert np.array_equal(found.pixels, plain.pixels)
    assert photo.describe_losses(format) == ""


@pytest.mark.parametrize("format", FORMATS)
def test_exiftool_reads_the_record(tmp_path: Path, record: Record, format: str) -> None:
    path = name_file(tmp_path, format)
    foreign = FOREIGN.replace(b"Fast > 8", b"Fast 8")  # which ExifTool 12.57 takes for a tag's end
    photo = image.Photo(files.soft(), None, image.Metadata(xmp=foreign), "PNG")
    image.write(path, photo.with_record(record))
    told = exiftool(path)
    assert told["XMP-iptcExt:DigitalSourceType"] == ADDED
    assert told["XMP-autochrome:Statement"] == record.statement
    assert json.loads(told["XMP-autochrome:Record"]) == record.as_dict()
    assert told["XMP-xmp:CreatorTool"] == "SilverFast 8"
    assert told["XMP-dc:Creator"] == ["J. Doe"]
    assert not any("Warning" in name for name in told)


@pytest.mark.parametrize("format", FORMATS)
def test_what_exiftool_has_written_anew_is_still_read_and_replaced(
    tmp_path: Path, record: Record, format: str
) -> None:
    path = name_file(tmp_path, format)
    image.write(path, image.Photo(files.soft(), None, image.Metadata(), "PNG").with_record(record))
    exiftool(path)
    # It rewrites the whole packet for a property more, in its own order and with other prefixes.
    subprocess.run(["exiftool", "-q", "-XMP-dc:Title=Bridge", str(path)], check=True)
    found = image.read(path)
    assert found.metadata.record == record
    again = make_record(["sagan"], {"vividness": 0.5})
    image.write(path, found.with_record(again))
    told = exiftool(path)
    assert told["XMP-dc:Title"] in ("Bridge", {"x-default": "Bridge"})
    assert json.loads(told["XMP-autochrome:Record"]) == again.as_dict()
    assert not any("Warning" in name for name in told)


def test_a_coloured_photo_put_in_again_has_one_record(record: Record) -> None:
    photo = image.Photo(files.soft(), None, image.Metadata(xmp=FOREIGN), "PNG")
    first = image.decode(image.encode(photo.with_record(record), "PNG"))
    other = make_record(["sagan"], {"vividness": 0.5})
    for format in FORMATS:
        assert first.describe_losses(format) == ""
        again = image.decode(image.encode(first.with_record(other), format))
        assert again.metadata.record == other
        assert again.metadata.xmp == first.metadata.xmp
        assert image.decode(image.encode(first, format)).metadata.record == record, "as it came"
        gone = image.decode(image.encode(first.with_record(None), format))
        assert gone.metadata.record is None
        assert gone.metadata.xmp == first.metadata.xmp


def test_a_picture_without_metadata_has_none_once_its_record_is_gone(record: Record) -> None:
    photo = image.Photo(files.soft(), None, image.Metadata(), "PNG").with_record(record)
    found = image.decode(image.encode(photo, "PNG"))
    assert found.metadata == image.Metadata(record=record)


def test_only_pictures_are_asked(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no picture")
    with pytest.raises(NotAPictureError, match="is not a picture but text"):
        image.read_record(tmp_path / "a.txt")
    with pytest.raises(PictureError, match="no such file"):
        image.read_record(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(files.saved(files.soft(), "PNG")[:60])
    with pytest.raises(PictureError, match="cannot be read"):
        image.read_record(tmp_path / "c.png")
    (tmp_path / "d.png").write_bytes(files.saved(files.soft(), "PNG"))
    assert image.read_record(tmp_path / "d.png") is None


# --- packets ------------------------------------------------------------------------------------


def test_all_else_in_a_packet_stays_byte_for_byte(record: Record) -> None:
    packet, dropped = join_record(FOREIGN, record)
    assert dropped == []
    assert packet
    source = b" e:DigitalSourceType='http://x/print'"
    head, tail = FOREIGN.replace(source, b"").split(b"</rdf:RDF>")
    assert packet.startswith(head)
    assert packet.endswith(b"</rdf:RDF>" + tail)
    assert properties(packet)[SOURCE] == ADDED
    assert packet.count(b"DigitalSourceType>") == 2
    assert split_record(packet) == (FOREIGN.replace(source, b""), record)


@pytest.mark.parametrize(
    "body",
    [
        b"<rdf:Description e:DigitalSourceType='x'/>",
        b'<rdf:Description e:DigitalSourceType = "a>b"></rdf:Description>',
        b"<rdf:Description><e:DigitalSourceType>x</e:DigitalSourceType></rdf:Description>",
        b"<rdf:Description><e:DigitalSourceType rdf:resource='x'/></rdf:Description>",
    ],
)
def test_the_source_of_the_photo_is_replaced_however_it_is_written(
    record: Record, body: bytes
) -> None:
    head = b"<rdf:RDF xmlns:rdf='" + xmp.RDF.encode() + b"' xmlns:e='"
    head += xmp.NAMESPACES["Iptc4xmpExt"].encode() + b"' xmlns:o='other:'>"
    kept = b"<rdf:Description o:DigitalSourceType='mine'><o:a/><o:b/></rdf:Description>"
    packet, _ = join_record(head + body + kept + b"</rdf:RDF>", record)
    assert packet
    assert properties(packet)[SOURCE] == ADDED
    assert split_record(packet)[0] == head + kept + b"</rdf:RDF>"
    assert properties(packet)["other:DigitalSourceType"] == "mine"


def many_attributes(count: int) -> bytes:
    return b"".join(b" e:a%d=''" % i for i in range(count))


BOMB = b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>" + b"".join(
    b"<!ENTITY %c '%b'>" % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(20)
)


@pytest.mark.parametrize(
    ("packet", "said", "kept"),
    [
        (BOMB + b"]>" + FOREIGN.replace(b"J. Doe", b"&t;"), "damaged XMP", b""),
        (b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'>" + FOREIGN, "damaged XMP", b""),
        (b"no XML \xff", "damaged XMP", b""),
        (b"<a/>", "damaged XMP", b""),
        (FOREIGN.decode().encode("utf-16"), "", b"J. Doe"),
        (FOREIGN.decode().encode("utf-16-le"), "damaged XMP", b""),
        (files.XMP[:-40], "damaged XMP", b""),
        (FOREIGN + b"\0\0 <broken", "", b"J. Doe"),
        (FOREIGN.replace(b"</rdf:RDF>", b"<rdf:Description><cut off"), "", b"J. Doe"),
        (FOREIGN.replace(b"</rdf:RDF>", b"&what;"), "", b"J. Doe"),
        (b"<a>" * 1_000_000, "damaged XMP", b""),
        (FOREIGN.replace(b"J. Doe", b"a" * xmp.MOST_BYTES), "XMP", b""),
        (FOREIGN.replace(b"<dc:source/>", b"<dc:source/>" * 90_000), "", b"J. Doe"),
        (FOREIGN.replace(b"<dc:source/>", b"<dc:source/>" * 300_000), "damaged XMP", b""),
        (FOREIGN.replace(b" e:", many_attributes(90_000) + b" e:"), "", b"J. Doe"),
        (FOREIGN.replace(b" e:", many_attributes(300_000) + b" e:"), "damaged XMP", b""),
        (FOREIGN.replace(b"<dc:source/>", b"<a>" * 900_000), "damaged XMP", b""),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)  # fmt: skip
def test_hostile_packets_cost_nothing_and_the_record_is_written(
    record: Record, packet: bytes, said: str, kept: bytes
) -> None:
    begun = time.process_time()
    photo = image.Photo(files.soft(), None, image.Metadata(xmp=packet), "PNG").with_record(record)
    data = image.encode(photo, "PNG")
    found = image.decode(data)
    assert time.process_time() - begun < 6
    assert found.metadata.record == record
    assert kept in (found.metadata.xmp or b"")
    assert photo.describe_losses("PNG") == (f"Not kept: {said}." if said else "")


def test_a_packet_of_a_stranger_that_claims_a_record_is_passed_over(record: Record) -> None:
    packet, _ = join_record(None, record)
    assert packet
    for old, new in (
        (b'"version": 1', b'"version": 2'),
        (b'"version": 1', b'"version": ' + b"[" * 100_000),
        (b'"vividness": 1.2', b'"vividness": '),
        (b'"vividness": 1.2', b'"vividness": ' + b"[" * 20 + b"]" * 20),
        (b'"version": 1', b'"hints_left_out": 1e999, "version": 1'),
        (b'"version": 1', b'"version": "1"'),
        (b'"settings": {', b'"settings": 7, "more": {'),
        (b'"models": [{', b'"models": [7, {'),
        (b'"x": 0.5', b'"x": 7'),
    ):
        changed = packet.replace(old, new)
        assert changed != packet
        assert split_record(changed) == (changed, None), "and it stays as it is"
        again, dropped = join_record(changed, record)
        assert again == packet
        assert not dropped


# --- too much for a JPEG ------------------------------------------------------------------------


def test_a_jpeg_has_as_many_hints_as_it_has_room_for() -> None:
    notes = [Hint(i / 500, 0.5, (1.0, 2.0), known=i >= 400, note=f"{i}é" * 100) for i in range(500)]
    record = describe_options(Options(hints=tuple(notes)))
    photo = image.Photo(files.soft(), None, image.Metadata(xmp=FOREIGN), "PNG").with_record(record)
    assert record
    assert image.decode(image.encode(photo, "PNG")).metadata.record == record
    found = image.decode(image.encode(photo, "JPEG")).metadata
    assert found.record
    assert all(hint in notes for hint in found.record.hints)
    assert sum(hint.known for hint in found.record.hints) == 100
    assert found.record.left_out == 500 - len(found.record.hints)
    assert found.record.settings == record.settings
    assert b"J. Doe" in (found.xmp or b"")
    lost = found.record.left_out
    assert 0 < lost < 400
    assert photo.describe_losses("JPEG") == f"Not kept: {lost} of 500 colour hints."
    assert photo.describe_losses("TIFF") == ""


def test_a_jpeg_without_room_for_the_packet_still_has_the_record(
    tmp_path: Path, record: Record
) -> None:
    large = FOREIGN.replace(b"J. Doe", b"J. Doe" * 10_800)
    assert len(large) < 65_500
    photo = image.Photo(files.soft(), None, image.Metadata(xmp=large), "PNG").with_record(record)
    image.write(tmp_path / "a.jpg", photo)
    found = image.read(tmp_path / "a.jpg").metadata
    assert (found.xmp, found.record) == (None, record)
    assert photo.describe_losses("JPEG") == "Not kept: XMP."
    assert exiftool(tmp_path / "a.jpg")["XMP-iptcExt:DigitalSourceType"] == ADDED


def test_settings_without_room_leave_the_statement() -> None:
    record = make_record(["sagan"], {"much": "a" * 70_000}, hints=HINTS)
    packet, dropped = join_record(None, record, 65_500)
    assert dropped == ["settings of the colours"]
    assert properties(packet)[SOURCE] == ADDED
    assert split_record(packet)[1] == make_record(["sagan"], {}, hints=HINTS)


# --- what it says -------------------------------------------------------------------------------


def test_the_statement_names_what_is_known(record: Record) -> None:
    assert record.statement == (
        f"Colours added by {record.software} with autochrome. They are guesses, except at 1 place "
        'where they are known: Letter <of> 1943 & "Brücke" \N{SNOWMAN}.'
    )
    packet, _ = join_record(None, make_record([], {}))
    assert properties(packet)[SOURCE] == BY_HAND
    assert "chosen by hand" in properties(packet)[STATEMENT]
    drawn = make_record(["sd15"], {}, drawn=True)
    packet, _ = join_record(None, drawn)
    assert properties(packet)[SOURCE] == DRAWN
    assert "Drawn anew" in properties(packet)[STATEMENT]
    assert split_record(packet) == (None, drawn)
    known = [Hint(0.1, 0.1, (0, 0), known=True, note=str(i // 2)) for i in range(20)]
    said = make_record(["a", "b"], {}, hints=tuple(known)).statement
    assert said.endswith("with a, b. They are guesses, except at 20 places where they are known: "
                         "0; 1; 2; 3; 4; 5 more.")  # fmt: skip


def test_signs_that_xml_has_not_do_no_harm() -> None:
    hint = Hint(0.1, 0.1, (0, 0), known=True, note="a\0b\ud800\uffff]]>\r\n\x85\u2028")
    packet, _ = join_record(None, make_record(["a"], {}, hints=(hint,)))
    found = split_record(packet)[1]
    assert found
    assert found.hints[0].note == "a\0b\ufffd\ufffd]]>\r\n\x85\u2028"


def test_the_tool_of_the_scan_is_kept_and_ours_is_not_doubled(record: Record) -> None:
    packet, _ = join_record(FOREIGN, record)
    assert properties(packet)[TOOL] == "SilverFast > 8"
    packet, _ = join_record(None, record)
    again, _ = join_record(packet, record)
    assert again == packet
    assert properties(again)[TOOL] == record.software


def test_filled_damage_is_told_also_without_colours() -> None:
    prepared = Options(prepare=Preparation("result", "colouring"))
    record = describe_options(prepared)
    assert record is not None
    assert record.source_type == ADDED
    assert record.statement.endswith(
        "They are guesses. Places that were taken for dust, scratches or folds are filled from "
        "around."
    )
    assert read_options(Record.read(record.write())).prepare == prepared.prepare
    gray = describe_options(replace(prepared, strength=0.0))
    assert gray is not None
    assert gray.source_type == REPAIRED
    assert gray.statement.startswith("No colours added by Autochrome Studio")
    assert describe_options(Options(strength=0.0, prepare=Preparation("colouring"))) is None
    odd = make_record(["autochrome"], {"prepare": "damage"})
    assert "filled" not in odd.statement

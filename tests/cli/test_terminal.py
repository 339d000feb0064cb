"""What the commands and the pages print alike."""

from colorize_core.cli.terminal import aligned
from colorize_core.sizes import size


def test_sizes_are_read_by_people() -> None:
    counts = (0, 999, 1000, 29_400_000, 723_000_000, 2_741_000_000, 15_970_000_000)
    assert [size(count) for count in counts] == [
        "0 B",
        "999 B",
        "1 kB",
        "29.4 MB",
        "723 MB",
        "2.74 GB",
        "16 GB",
    ]


def test_columns_are_as_wide_as_they_need_to_be() -> None:
    assert aligned([("name", "size"), ("a longer one", "1")]).splitlines() == [
        "name          size",
        "a longer one  1",
    ]

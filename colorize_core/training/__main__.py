"""python -m colorize_core.training: see colorize_core.cli.train."""

import sys

from colorize_core.cli import main

if __name__ == "__main__":
    raise SystemExit(main(["train", *sys.argv[1:]]))

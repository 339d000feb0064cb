"""python -m colorize_core.evaluate: see colorize_core.cli.evaluate."""

import sys

from colorize_core.cli import main

if __name__ == "__main__":
    raise SystemExit(main(["evaluate", *sys.argv[1:]]))

"""python -m colorize_core: see colorize_core.cli."""

from colorize_core.cli import main

if __name__ == "__main__":
    raise SystemExit(main())

"""python -m colorize_core: see colorize_core.cli.colorize."""

from colorize_core.cli.colorize import main

if __name__ == "__main__":
    raise SystemExit(main())

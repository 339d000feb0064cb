"""python -m colorize_core.evaluate: see colorize_core.cli.evaluate."""

from colorize_core.cli.evaluate import main

if __name__ == "__main__":
    raise SystemExit(main())

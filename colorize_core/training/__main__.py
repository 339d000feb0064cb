"""python -m colorize_core.training: see colorize_core.cli.train."""

from colorize_core.cli.train import main

if __name__ == "__main__":
    main()

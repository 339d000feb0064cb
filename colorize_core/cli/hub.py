"""python -m colorize_core hub: bundled models to the Hugging Face Hub."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence

from colorize_core.cards import ModelCard
from colorize_core.cli import terminal
from colorize_core.downloads import push
from colorize_core.models.registry import cards, tools
from colorize_core.sizes import format_size

DESCRIPTION = "Upload a bundled model, its configuration and its model card with the scores."
EXAMPLES = """\
examples:
  python -m colorize_core hub push autochrome --repo me/autochrome
      show what would be uploaded
  python -m colorize_core hub push autochrome --repo me/autochrome --yes
      upload it; log in before with `hf auth login`

exit code: 0 all done, 1 it failed, 2 wrong usage, 130 stopped with Ctrl-C
"""


def make_parser() -> argparse.ArgumentParser:
    made = terminal.make_parser("python -m colorize_core hub", DESCRIPTION, EXAMPLES)
    actions = made.add_subparsers(dest="action", required=True, metavar="ACTION")
    action = actions.add_parser(
        "push", help=DESCRIPTION, description=DESCRIPTION, allow_abbrev=False
    )
    names = list(_list_cards())
    action.add_argument("name", choices=names, metavar="NAME", help=f"one of {', '.join(names)}")
    action.add_argument("--repo", required=True, metavar="OWNER/NAME", help="made if need be")
    action.add_argument("--private", action="store_true", help="make it private, if it is made")
    action.add_argument("--yes", action="store_true", help="upload; without, nothing is sent")
    return made


def _list_cards() -> dict[str, ModelCard]:
    return {card.name: card for card in (*cards(), *tools())}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code. SystemExit for wrong usage and --help."""
    return terminal.run(make_parser(), _push, arguments, stopped="Nothing was changed on the Hub.")


def _push(asked: argparse.Namespace) -> int:
    card = _list_cards()[asked.name]
    push.check(asked.repo)
    files = push.collect_files(card)
    if card not in tools() and not push.read_scores(card):
        print(f"No scores were measured with these weights of {card.name}.", file=sys.stderr)
    if asked.yes:
        print(f"Uploaded: {push.push(files, asked.repo, private=asked.private)}")
        return terminal.ALL_DONE
    rows = [("FILE", "SIZE", "SHA256")]
    rows += [
        (name, format_size(len(c)), hashlib.sha256(c).hexdigest()) for name, c in files.items()
    ]
    print(f"This would go to the repository {asked.repo}:\n\n{terminal.align(rows)}\n")
    print(f"{push.README}:\n\n{files[push.README].decode()}")
    print("Nothing was sent. To upload it, add --yes.")
    return terminal.ALL_DONE

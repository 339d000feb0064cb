"""Bundled models as repositories of the Hugging Face Hub."""

from __future__ import annotations

import csv
import json
from typing import Any

from colorize_core import metrics
from colorize_core.bundled import QUALITY
from colorize_core.cards import ModelCard
from colorize_core.downloads import checkpoints
from colorize_core.errors import OptionError, SaveError

NETWORK, CONFIG, README = "model.safetensors", "config.json", "README.md"


def collect_files(card: ModelCard) -> dict[str, bytes]:
    """What a bundled model's repository has: its weight files as they are, the configuration that
    is in them, and its model card with the scores. OptionError for a model of others, WeightsError
    for a damaged one."""
    from safetensors import safe_open

    if any(not file.bundled for file in card.weights):
        raise OptionError(
            f"The weights of {card.name} do not ship with the app: they are published at "
            f"{card.source or card.weights[0].repo} already."
        )
    path, *others = [checkpoints.find(file) for file in card.weights]
    with safe_open(path, "np") as file:
        config = json.loads(file.metadata()["config"])
    return {
        NETWORK: path.read_bytes(),
        **{other.name: other.read_bytes() for other in others},
        CONFIG: json.dumps(config, indent=2).encode(),
        README: make_readme(card, read_scores(card)).encode(),
    }


def read_scores(card: ModelCard) -> dict[str, str]:
    """The row of benchmarks/results/quality.csv that was measured with these weights; empty without
    one."""
    if not QUALITY.is_file():
        return {}
    with QUALITY.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = (r for r in rows if (r["model"], r["weights"]) == (card.name, card.digest))
    return next(found, {})


def make_readme(card: ModelCard, row: dict[str, str]) -> str:
    """The generated card beside the weights, the scores of the row in its front matter as the Hub's
    model-index has them."""
    from huggingface_hub import EvalResult
    from huggingface_hub import ModelCard as HubCard

    path = checkpoints.BUNDLED / card.name / README
    written: Any = HubCard(path.read_text(encoding="utf-8"), ignore_metadata_errors=False)
    measured = [metric for metric in metrics.METRICS if row.get(metric.name)]
    if not measured:
        return str(written)
    written.data.model_name = card.title
    written.data.eval_results = [
        EvalResult(
            task_type="image-to-image",
            task_name="Colorization",
            dataset_type="photographs",
            dataset_name=f"{row['n']} photographs that no model was trained on",
            dataset_config=row["protocol"],
            metric_type=metric.name,
            metric_name=metric.title,
            metric_value=float(row[metric.name]),
        )
        for metric in measured
    ]
    return str(written)


def check(repo: str) -> None:
    """Raises OptionError unless it may be the name of a repository, with its owner."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise OptionError(f"--repo {repo}: {error} Write OWNER/NAME.") from error
    if "/" not in repo:
        raise OptionError(f"--repo {repo}: whose? Write OWNER/NAME.")


def push(files: dict[str, bytes], repo: str, *, private: bool = False) -> str:
    """Upload them in one commit, into a repository that is made if it is not there; returns the
    commit's address. SaveError if that does not work."""
    from huggingface_hub import CommitOperationAdd, HfApi, constants
    from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is httpx's
        HfHubHTTPError,
        HTTPError,
        OfflineModeIsEnabled,
    )

    hub = HfApi()
    added = [CommitOperationAdd(name, content) for name, content in files.items()]
    failed = f"{repo} could not be uploaded to {constants.ENDPOINT}"
    try:
        hub.create_repo(repo, private=private or None, exist_ok=True)
        done = hub.create_commit(repo, added, commit_message="Upload from Autochrome Studio")
    except OfflineModeIsEnabled as error:
        raise SaveError(f"{failed}: HF_HUB_OFFLINE forbids it. Unset it and try again.") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        denied = "Log in with `hf auth login` and a token that may write to it"
        remedy = denied if status in (401, 403, 404) else "Wait a little"
        raise SaveError(f"{failed}: it answered {status}. {remedy}, and try again.") from error
    except (HTTPError, OSError) as error:
        raise SaveError(f"{failed}: {error}. Check the connection and try again.") from error
    except (RuntimeError, ValueError) as error:  # of an upload beside, and of what it refuses
        raise SaveError(f"{failed}: {error.__cause__ or error}") from error
    return str(done.commit_url)

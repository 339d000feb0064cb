"""All that is to be verified, one step after the other; what has passed before is left out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from colorize_core import metrics
from colorize_core.acceptance import checks
from colorize_core.acceptance.checks import Found
from colorize_core.acceptance.report import (
    FAILED,
    PASSED,
    PICTURES,
    SKIPPED,
    Report,
    name_scores,
)
from colorize_core.acceptance.subjects import PUBLISHED, TRUNKS, Subject, fingerprint
from colorize_core.errors import TooLittleMemoryError
from colorize_core.evaluate.run import FAILURES, format_error
from colorize_core.metrics.baselines import BASELINES
from colorize_core.metrics.features import LEAST
from colorize_core.metrics.sets import SET_METRICS

FILES, ORIGINAL, EXAMPLES, LOADS, DRAWS, EACH, TOGETHER = (
    "files", "original", "examples", "loads", "draws", "each picture", "all pictures together"
)  # fmt: skip
PHOTOS = "photographs"  # the subject of scores

ISSUE = "open an issue with report.csv"
REMEDIES = {
    FILES: "Then run the same command again: it goes on from here. Where the server has another "
    f"file, or none, {ISSUE}.",
    ORIGINAL: "The network computes other values here than its original: try another version of "
    f"torch, and {ISSUE}.",
    EXAMPLES: "Run `python -m colorize_core weights verify` on it. If the file is whole, "
    f"{ISSUE}: it names versions and machine.",
    LOADS: f"Run `python -m colorize_core weights verify` on it. If the file is whole, {ISSUE}.",
    DRAWS: "Install what is missing with pip install 'autochrome-studio[prompt]', free memory, or "
    f"name another --device; else {ISSUE}.",
    EACH: "The file of scores says in its column why. Remove the cause and run the same command "
    "again: what is scored stays.",
    TOGETHER: "Remove the cause and run the same command again: models that are scored stay.",
}
MEMORY = "Run it on a machine that has what is named, or leave this out by naming the others."

Photos = Sequence[Any]  # of training.data.Photograph, whose module needs torch


class Acceptance:
    """`say` gets a line a step."""

    def __init__(self, report: Report, device: str, say: Callable[[str], Any]) -> None:
        self.report, self.device, self.say = report, device, say
        self.failed = 0
        self.pictures = report.folder / PICTURES
        self.pictures.mkdir(parents=True, exist_ok=True)

    def verify(self, subject: Subject) -> bool:
        """Everything about one subject; whether nothing failed or was skipped."""
        before = fingerprint(subject.read_hashes().values())
        whole = not subject.list_missing()
        if not self._step(
            subject.name,
            FILES,
            before if whole else "",
            lambda: checks.fetch_files(subject, self.device),
            subject.group,
        ):
            return False
        weights = self._state_weights(subject.name)
        if subject.is_model:
            work: dict[str, Callable[[], Found]] = {}
            if subject.group == PUBLISHED:
                work[ORIGINAL] = lambda: checks.compare_port(subject)
            work[EXAMPLES] = lambda: checks.colour_examples(
                subject, weights, self.device, self.pictures
            )
        elif subject.group == TRUNKS:
            work = {LOADS: lambda: checks.load_trunk(subject, self.device)}
        else:
            work = {DRAWS: lambda: checks.draw(subject, self.device, self.pictures)}
        done = [
            self._step(subject.name, step, weights, do, subject.group) for step, do in work.items()
        ]
        return all(done)

    def score(self, photos: Photos, few: int, models: Sequence[str], trunks: set[str]) -> str:
        """Score the first `few` photographs each, and all together where they are enough, by what
        stands on those trunks; the table of the former. Scoring a model again begins with its
        weights, as `evaluate` does."""
        from colorize_core.evaluate.score_file import ScoreFile
        from colorize_core.evaluate.scoring import Judge
        from colorize_core.evaluate.summary import make_table

        names = [
            metric.name
            for metric in metrics.METRICS
            if not metric.download or metric.download in trunks
        ]
        every = (*BASELINES, *models)
        chosen = photos[:few]
        digest = digest_photos(chosen)
        file = ScoreFile(self.report.folder / name_scores("scores", digest), names, 0)

        def score_each() -> Found:
            from colorize_core.evaluate.run import Evaluation

            judge = Judge(names, self.device)
            for _ in Evaluation(chosen, every, judge, file).run():
                pass
            rows = [file.rows[model, photo.name] for model in every for photo in chosen]
            wrong = [row for row in rows if not row["seconds"]]
            text = f"{len(every)} models on {len(chosen)} photographs by {len(names)} metrics"
            if wrong:
                text += f"; {len(wrong)} pictures failed, the first: {wrong[0]['why']}"
            text += "".join(f"; {name}: {why}" for name, why in judge.missing.items())
            return Found(text, not wrong and not judge.missing, f"photographs sha256 {digest}")

        key = fingerprint([digest, *names, *(f"{m} {self._weights(m)}" for m in every)])
        self._step(PHOTOS, EACH, key, score_each)
        if any(metric.download in trunks for metric in SET_METRICS if metric.download):
            self._score_together(photos, every, key)
        return make_table(file.rows.values(), every, names, 160)

    def _score_together(self, photos: Photos, every: Sequence[str], key: str) -> None:
        from colorize_core.evaluate.picture_sets import SetEvaluation, SetFile

        if len(photos) < LEAST:
            text = f"FID and KID need {LEAST:,} photographs; there are {len(photos):,}"
            self._add(PHOTOS, TOGETHER, key, "", SKIPPED, Found(text), "Give more with --photos.")
            return
        digest = digest_photos(photos)

        def work() -> Found:
            file = SetFile(self.report.folder / name_scores("sets", digest))
            names = [metric.name for metric in SET_METRICS if metric.download]
            for _ in SetEvaluation(photos, every, names, file, device=self.device).run():
                pass
            text = f"{len(every)} models on {len(photos):,} photographs by {' and '.join(names)}"
            return Found(text, hashes=f"photographs sha256 {digest}")

        self._step(PHOTOS, TOGETHER, fingerprint([digest, key]), work)

    def _weights(self, model: str) -> str:
        return self.report.rows.get((model, FILES), {}).get("weights", "")

    def _state_weights(self, subject: str) -> str:
        """What was downloaded, in the report: before, its hash may not have been known."""
        row = self.report.rows[subject, FILES]
        weights = fingerprint(each.rpartition(" ")[2] for each in row["hashes"].split("; "))
        if row["weights"] != weights:
            self.report.add(row | {"weights": weights})
        return weights

    def _step(
        self, subject: str, step: str, weights: str, work: Callable[[], Found], group: str = ""
    ) -> bool:
        """Do it, unless it is done; whether it passed."""
        if weights and self.report.is_done(subject, step, weights):
            self.say(f"{subject}, {step}: {PASSED} before")
            return True
        begun = time.perf_counter()
        try:
            found = work()
            outcome = PASSED if found.passed else FAILED
            remedy = "" if found.passed else REMEDIES[step]
        except TooLittleMemoryError as error:
            found, outcome, remedy = Found(str(error), False), SKIPPED, MEMORY
        except FAILURES as error:
            found, outcome, remedy = Found(format_error(error), False), FAILED, REMEDIES[step]
        seconds = f"{time.perf_counter() - begun:.1f}"
        self._add(subject, step, weights, group, outcome, found, remedy, seconds)
        return outcome == PASSED

    def _add(
        self,
        subject: str,
        step: str,
        weights: str,
        group: str,
        outcome: str,
        found: Found,
        remedy: str,
        seconds: str = "",
    ) -> None:
        self.failed += outcome == FAILED
        self.report.add(
            {
                "subject": subject,
                "group": group,
                "step": step,
                "weights": weights,
                "outcome": outcome,
                "found": found.text,
                "remedy": remedy,
                "seconds": seconds,
                "hashes": found.hashes,
                "values": found.values,
            }
        )
        self.say(f"{subject}, {step}: {outcome}: {found.text}" + (f" {remedy}" if remedy else ""))


def digest_photos(photos: Photos) -> str:
    """One sha256 of what they are called inside their zip or folder, and of their bytes."""
    digest = hashlib.sha256()
    for photo in photos:
        inside = photo.name.partition("/")[2]
        digest.update(f"{inside} {hashlib.sha256(photo.load()).hexdigest()}\n".encode())
    return digest.hexdigest()

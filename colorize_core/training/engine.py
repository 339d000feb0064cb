"""One training engine for every recipe, on accelerate: CPU, one GPU, several GPUs or nodes."""

from __future__ import annotations

import copy
import json
import math
import shutil
import signal
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import broadcast_object_list
from safetensors import safe_open
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from colorize_core import devices
from colorize_core.downloads import checkpoints
from colorize_core.downloads.checkpoints import save_network as save_weights
from colorize_core.errors import OptionError
from colorize_core.training.data import Batch, Batches, Photos, load_photos, select_choosing
from colorize_core.training.plots import draw_contact_sheet, draw_curves


@dataclass(frozen=True)
class TrainingSettings:
    """What every recipe shares. Each field is a command-line flag."""

    data: tuple[Path, ...]  # zips or folders of photographs to train on
    val: tuple[Path, ...] = ()  # zips or folders; two thirds of the photographs score the looks
    out: Path = Path("runs")  # checkpoints, curves, samples and the weight file
    start_from: Path | None = None  # a weight file to begin from instead of random weights
    # Length of the whole run from reading the photographs to the last look, earlier parts of a
    # resumed run counted in. That look is given as long as the longest one before it took.
    minutes: float = 60.0
    steps: int | None = None  # its length in steps instead, where speed shall not matter
    batch: int = 128  # photographs a step and process
    warmup: float = 0.02  # share of the run
    ema: float = 0.9995
    # Share of the trained weights in what is looked at and kept, the rest being of `start_from`: a
    # mean of both can be better than either (WiSE-FT, https://arxiv.org/abs/2109.01903).
    mix: float = 1.0
    clip: float = 1.0  # largest gradient norm
    norm_batches: int = 40  # batches that measure the averaged network's batch norms
    precision: str = "auto"  # "no", "fp16", "bf16", or "auto": bf16 where it is not slow
    limit: int | None = None  # use only so many photographs
    balance: float = 0.25  # 0: all photographs alike, 1: all sources alike
    val_limit: int = 200
    look_every: float = 5.0  # minutes between looks: scores, weights, a checkpoint and samples
    patience: int | None = None  # stop after so many looks in a row that were not the best so far
    log_every: int = 20  # steps between losses that are kept
    side: int = 128  # photographs are kept in memory at this size
    seed: int = 0


Parts = dict[str, nn.Module]
Losses = dict[str, Tensor]


class Recipe(Protocol):
    """What the engine needs to know of a system."""

    sides: tuple[int, ...]  # training sizes, smallest first
    until: tuple[float, ...]  # progress at which each size ends
    least_scale: float  # smallest random crop, edge over edge
    # The scores that decide which look is the best, and at which end: of these the first one that
    # evaluate() returns. Where it returns none of them, the last look is taken for the best.
    chosen_by: ClassVar[Mapping[str, Literal["lowest", "highest"]]] = {
        "ciede2000": "lowest",
        "overlap": "highest",
        "accuracy": "highest",
    }
    gpu_batch: ClassVar[int] = 256  # photographs a step with the preset for one GPU

    @abstractmethod
    def build_parts(self, photos: Photos) -> Parts:
        """What is to learn from the photos, by name; the first is the network that goes into the
        weight file."""

    @abstractmethod
    def build_optimizer(self, part: nn.Module) -> torch.optim.Optimizer:
        """With the highest learning rates of the schedule."""

    @abstractmethod
    def choose_learning(self, progress: float) -> tuple[str, ...]:
        """The parts that take a step at a progress in [0, 1], in this order."""

    def side(self, progress: float) -> int:
        """The training size at a progress in [0, 1]."""
        return next(s for s, end in zip(self.sides, self.until, strict=True) if progress <= end)

    @abstractmethod
    def compute_loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        """{"loss": what the part that is `learning` is to minimise, other names: to log}."""

    @abstractmethod
    def evaluate(self, network: nn.Module, batch: Batch) -> dict[str, float]: ...

    @abstractmethod
    def draw_sheet(self, network: nn.Module, batch: Batch) -> list[list[np.ndarray]]:
        """Rows of pictures (H, W, 3) uint8 to look at."""


@dataclass
class RunState:
    """Where a run stands; saved with each checkpoint."""

    step: int = 0
    seen: int = 0  # photographs
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    looked: int | None = None  # the step of the last look
    best: dict[str, float] = field(default_factory=dict)  # scores of the weights in place
    stale: int = 0  # looks since the best one
    look_seconds: float = 0.0  # of the longest look

    def state_dict(self) -> dict[str, Any]:
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def compute_rate(progress: float, warmup: float) -> float:
    """Cosine schedule with linear warm-up: share of the learning rate at a progress in [0, 1]."""
    if progress < warmup:
        return max(progress / warmup, 1e-3)
    along = min(1.0, (progress - warmup) / (1 - warmup))
    return 0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * along))


def _rate_scores(recipe: Recipe, scores: Mapping[str, float]) -> float | None:
    """How good scores are, the more the better; NaN is worse than all. None: nothing decides."""
    for name, end in recipe.chosen_by.items():
        if name in scores:
            value = scores[name] if end == "highest" else -scores[name]
            return -math.inf if math.isnan(value) else value
    return None


def _is_better(recipe: Recipe, scores: Mapping[str, float], before: Mapping[str, float]) -> bool:
    """Whether a look with these scores is to replace one before: also where nothing decides."""
    ours, theirs = _rate_scores(recipe, scores), _rate_scores(recipe, before)
    return ours is None or theirs is None or ours > theirs


def find_checkpoint(out: Path) -> Path | None:
    """The newest checkpoint that is whole, wherever replace_checkpoint() was interrupted."""
    return next((p for p in (out / "checkpoint", out / "checkpoint.old") if p.exists()), None)


def replace_checkpoint(out: Path) -> None:
    """Put checkpoint.new, which is whole, into the place of the checkpoint. At any moment there is
    a whole one that find_checkpoint() finds."""
    checkpoint, old = out / "checkpoint", out / "checkpoint.old"
    if checkpoint.exists():
        _remove(old)
        checkpoint.rename(old)
    (out / "checkpoint.new").rename(checkpoint)
    _remove(old)


def count_crops(path: Path) -> int:
    """How many crops the weights in that file have seen, in the runs before the last one too."""
    with safe_open(path, "np") as file:
        told = json.loads((file.metadata() or {}).get("training", "{}"))
    return int(told.get("seen", 0) + told.get("before", 0))


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _read_scores(path: Path) -> dict[str, float]:
    """What a weight file tells of its look; empty if there is no such file."""
    if not path.exists():
        return {}
    with safe_open(path, "pt") as file:
        told: dict[str, Any] = json.loads((file.metadata() or {}).get("training", "{}"))
    return {name: value for name, value in told.items() if name != "looks"}


def choose_precision(asked: str) -> str:
    """What "auto" is here: on a CPU without instructions for bfloat16 it takes many times as long
    as float32."""
    if asked != "auto":
        return asked
    device = PartialState().device
    slow = device.type == "cpu" and devices.choose_precision(device) == torch.float32
    return "no" if slow else "bf16"


def train(name: str, recipe: Recipe, settings: TrainingSettings) -> Path:
    """Run or resume a training; returns the path of the weight file (fp16 safetensors with the
    network's configuration in its metadata). The same command goes on where it stopped.

    `out`/model.safetensors is always of the best look so far by the recipe's `chosen_by`. The last
    look, if it is a worse one, is in last.safetensors beside it. Without photographs for validation
    the last look counts as the best. With them, weights to start from are the first look, before
    any step: the file never holds worse ones.

    Raises OptionError where the recipe's sizes do not last to the end, patience has nothing to go
    by, or the minutes are over before the first step."""
    begun = time.monotonic()
    _check(recipe, settings)
    settings.out.mkdir(parents=True, exist_ok=True)
    accelerator = Accelerator(
        mixed_precision=choose_precision(settings.precision),
        log_with="tensorboard",
        project_dir=settings.out,
    )
    torch.manual_seed(settings.seed + accelerator.process_index)
    accelerator.init_trackers(name)
    if accelerator.is_main_process and not accelerator.trackers:
        tqdm.write("TensorBoard is not installed: its log is left out.")
    if accelerator.device.type == "cuda":
        torch.backends.cudnn.benchmark = True  # a run has few sizes: worth choosing kernels for
        torch.set_float32_matmul_precision("high")  # TF32, as convolutions have it anyway
    photos = load_photos(settings.data, settings.side, settings.limit)
    parts = recipe.build_parts(photos)
    main, network = next(iter(parts.items()))
    if settings.start_from:
        stored = checkpoints.read_tensors(settings.start_from, network)
        floats = {name: tensor.float() for name, tensor in stored.items()}
        network.load_state_dict(network.state_dict() | floats)
    for part in parts.values():
        part.to(accelerator.device).to(memory_format=torch.channels_last)
    start = copy.deepcopy(network).eval() if settings.mix < 1 else None
    average = AveragedModel(
        parts[main], multi_avg_fn=get_ema_multi_avg_fn(settings.ema), use_buffers=False
    )
    optimizers = {name: recipe.build_optimizer(part) for name, part in parts.items()}
    rates = {name: [g["lr"] for g in o.param_groups] for name, o in optimizers.items()}
    if accelerator.num_processes > 1 and accelerator.device.type == "cuda":  # it has no CPU kind
        parts = {k: nn.SyncBatchNorm.convert_sync_batchnorm(v) for k, v in parts.items()}
    parts = {name: accelerator.prepare(part) for name, part in parts.items()}
    optimizers = {name: accelerator.prepare(optimizer) for name, optimizer in optimizers.items()}
    progress = RunState()
    accelerator.register_for_checkpointing(average, progress)
    if checkpoint := find_checkpoint(settings.out):
        accelerator.load_state(checkpoint)
        # A run may have been interrupted between saving weights and the checkpoint that knows them.
        progress.best = _read_scores(settings.out / "model.safetensors")
        if not progress.best:  # the file is gone: take another look, even if no step is left
            progress.looked = None
    seed = settings.seed + 1000 * accelerator.process_index + progress.step
    batches = Batches(photos, settings.batch, seed, accelerator.device, settings.balance)
    run = _Run(
        name,
        recipe,
        settings,
        accelerator,
        parts,
        average,
        start,
        optimizers,
        rates,
        progress,
        batches,
        begun,
    )
    return run.run_to_end()


def _check(recipe: Recipe, settings: TrainingSettings) -> None:
    if len(recipe.sides) != len(recipe.until) or recipe.until[-1] < 1:
        raise OptionError(
            f"sides are {recipe.sides}, until is {recipe.until}: give as many of each, the last "
            "until being 1."
        )
    if not 0 < settings.mix <= 1 or (settings.mix < 1 and not settings.start_from):
        raise OptionError(
            f"mix is {settings.mix}: give a share above 0 and up to 1, and below 1 the weights "
            "that the rest is of (start_from)."
        )
    if settings.patience is None:
        return
    if settings.patience < 1 or not settings.val:
        raise OptionError(
            f"patience is {settings.patience}: give at least 1 look, and --val to score looks on."
        )
    if not recipe.chosen_by:
        raise OptionError("patience is not for this recipe: its last look counts as its best.")


@dataclass
class _Run:
    name: str
    recipe: Recipe
    settings: TrainingSettings
    accelerator: Accelerator
    parts: Parts
    average: AveragedModel
    start: nn.Module | None  # before training, where a share of that is kept
    optimizers: dict[str, Any]
    rates: dict[str, list[float]]  # highest learning rates of each optimizer's groups
    progress: RunState
    batches: Batches
    begun: float  # time.monotonic() at the start

    def __post_init__(self) -> None:
        self.before = self.progress.seconds  # of earlier parts of a resumed run
        self.path = self.settings.out / "model.safetensors"
        self.warned: set[str] = set()
        self.stopping = False
        self.val = None
        if self.settings.val and self.accelerator.is_main_process:
            options = (self.settings.side, self.settings.val_limit, self.batches.kinds)
            val = load_photos(self.settings.val, *options, part=select_choosing)
            device = self.accelerator.device
            self.val = Batch((val.pixels.float() / 255).to(device), val.labels.to(device))
        if self.batches.photos.device.type != self.accelerator.device.type:
            self._say(
                f"The photographs ({self.batches.photos.nbytes / 1e9:.1f} GB) leave too little of "
                "the GPU's memory: they stay in main memory, which may be slower. --limit or a "
                "smaller --side makes them fit."
            )

    def run_to_end(self) -> Path:
        if self.settings.start_from and self.settings.val and self.progress == RunState():
            self.look(started=False)
        looked = time.monotonic()
        bar = tqdm(
            total=round(max(self._measure_whole(), 0)),
            unit="steps" if self.settings.steps else "s",
            desc=self.name,
            mininterval=5,
            disable=not self.accelerator.is_main_process,
        )
        with self._defer_signals():  # during the last look, too
            share = self._train(bar, looked)
            bar.close()
            if math.isinf(share):
                self._save_checkpoint()
                self.accelerator.end_training()
                self._say(f"What was learned from {self.progress.seen} photographs is kept.")
                raise KeyboardInterrupt
            if not self.progress.step:
                raise OptionError(
                    f"{self.settings.minutes:g} minutes are over before the first step: give more "
                    "--minutes, or fewer photographs with --limit."
                )
            if self._is_out_of_patience():
                stale = self.progress.stale
                self._say(f"stopped: none of the last {stale} looks was the best so far")
            if self.progress.looked != self.progress.step:
                self.look()
            self.accelerator.end_training()
        return self.path

    def _train(self, bar: Any, looked: float) -> float:
        """Until the end, which the share of the run that is returned tells, or none is patient any
        more. `looked`: time.monotonic() of the last look."""
        while (share := self._agree(self._measure_share())) < 1 and not self._is_out_of_patience():
            losses = self._step(share)
            bar.update(min(round(self._measure_done()), bar.total) - bar.n)
            if self.progress.step % self.settings.log_every == 0:
                values = {key: value.item() for key, value in losses.items()}
                shown = {k: f"{v:.3f}" for k, v in values.items()}
                bar.set_postfix(**shown, seen=self.progress.seen)
                self.accelerator.log(
                    {f"train/{k}": v for k, v in values.items()}, self.progress.seen
                )
                self.progress.history.append({"seen": self.progress.seen, **values})
            if self._agree(time.monotonic() - looked > self.settings.look_every * 60):
                self.look()
                looked = time.monotonic()
        return share

    @contextmanager
    def _defer_signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM let the step or look that has begun end, the second one does not."""
        if threading.current_thread() is not threading.main_thread():  # it has no signals
            yield
            return

        def stop(*_: Any) -> None:
            if self.stopping:
                raise KeyboardInterrupt
            self.stopping = True

        before = {n: signal.signal(n, stop) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _is_out_of_patience(self) -> bool:
        patience = self.settings.patience
        return patience is not None and self.progress.stale >= patience

    def _say(self, text: str) -> None:
        if self.accelerator.is_main_process:
            tqdm.write(text)

    def _measure_done(self) -> float:
        return self.progress.step if self.settings.steps else self.progress.seconds

    def _measure_whole(self) -> float:
        """Steps, or seconds until the last look."""
        return self.settings.steps or self.settings.minutes * 60 - self.progress.look_seconds

    def _measure_share(self) -> float:
        """How much of the run is done by now: 1 or more at its end, infinite if it is to stop."""
        if self.stopping:
            return math.inf
        self.progress.seconds = self.before + time.monotonic() - self.begun
        whole = self._measure_whole()
        return self._measure_done() / whole if whole > 0 else 1.0

    def _agree(self, value: float) -> float:
        """What the first process says: clocks differ, and all must do the same at the same step."""
        values = [value]
        if self.accelerator.num_processes > 1:
            broadcast_object_list(values)
        return values[0]

    def _step(self, share: float) -> Losses:
        batch = self.batches.draw(self.recipe.side(share), self.recipe.least_scale)
        losses: Losses = {}
        for part in self.parts.values():
            part.train()
        for learning in self.recipe.choose_learning(share):
            losses |= self._learn(learning, batch, share)
        self.progress.step += 1
        self.progress.seen += len(batch.photos) * self.accelerator.num_processes
        if self.progress.step < 5 / (1 - self.settings.ema) and self.progress.step % 10 == 0:
            # Early on a long average lags behind: let it follow closely, then ever more slowly.
            self.average.multi_avg_fn = get_ema_multi_avg_fn(
                min(self.settings.ema, (1 + self.progress.step) / (10 + self.progress.step))
            )
        self.average.update_parameters(self.accelerator.unwrap_model(self._get_main()))
        return losses

    def _learn(self, learning: str, batch: Batch, share: float) -> Losses:
        """One step of one part; the names of what it logs tell whose they are."""
        optimizer = self.optimizers[learning]
        for group, highest in zip(optimizer.param_groups, self.rates[learning], strict=True):
            group["lr"] = highest * compute_rate(share, self.settings.warmup)
        with self.accelerator.autocast():
            losses = self.recipe.compute_loss(self.parts, batch, learning, share)
        optimizer.zero_grad()  # another part's step has left gradients here too
        self.accelerator.backward(losses["loss"])
        self.accelerator.clip_grad_norm_(self.parts[learning].parameters(), self.settings.clip)
        optimizer.step()
        if len(self.parts) == 1:
            return losses
        return {f"{learning}_{name}": value for name, value in losses.items()}

    def _get_main(self) -> nn.Module:
        return next(iter(self.parts.values()))

    def _build_averaged(self) -> nn.Module:
        """The averaged network, mixed with the one before training where that is asked for; its
        batch norms measured anew: the raw network's do not fit it."""
        network = copy.deepcopy(self.average.module)
        if self.start is not None:
            with torch.no_grad():
                for ours, first in zip(network.parameters(), self.start.parameters(), strict=True):
                    ours.lerp_(first, 1 - self.settings.mix)
        network.train()
        norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        norms = [norm for norm in norms if norm.training]  # those of frozen layers stay
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over the batches that follow
        main = next(iter(self.parts))
        parts = {**self.parts, main: network}
        with torch.no_grad(), self.accelerator.autocast():
            for _ in range(self.settings.norm_batches if norms else 0):
                self.recipe.compute_loss(parts, self.batches.draw(self.recipe.side(1.0)), main, 1.0)
        return network.eval()

    def look(self, started: bool = True) -> None:
        """Score the averaged network, save its weights and a checkpoint, then draw. Before training
        has `started`, the network is scored with the batch norms that it came with."""
        looking = time.monotonic()
        network: nn.Module | None = None
        self.progress.looked = self.progress.step
        if self.accelerator.is_main_process:
            network = (
                self._build_averaged() if started else copy.deepcopy(self.average.module).eval()
            )
            self._keep(network)
        self.progress.stale = int(self._agree(self.progress.stale))
        self._save_checkpoint()
        if network is not None:
            self._draw(network)
        self.accelerator.wait_for_everyone()
        taken = time.monotonic() - looking
        self.progress.look_seconds = max(self.progress.look_seconds, taken)

    def _keep(self, network: nn.Module) -> None:
        """Score the network; its weights become those of the run if none before were as good."""
        progress = self.progress
        scores: dict[str, float] = {}
        if self.val is not None:
            scores = self.recipe.evaluate(network, self.val)
            progress.history.append(
                {"seen": progress.seen, **{f"val_{k}": v for k, v in scores.items()}}
            )
            self.accelerator.log({f"val/{k}": v for k, v in scores.items()}, progress.seen)
        before = {"before": count_crops(start)} if (start := self.settings.start_from) else {}
        mix = {"mix": self.settings.mix} if self.start is not None else {}
        told = {"seen": progress.seen, **before, **mix, **scores, "looks": self._list_looks()}
        last = self.path.with_name("last.safetensors")
        if better := _is_better(self.recipe, scores, progress.best):
            save_weights(network, self.path, told)
            for file in (last, *checkpoints.list_part_files(last, network)):
                file.unlink(missing_ok=True)
            progress.best, progress.stale = {"seen": progress.seen, **scores}, 0
        else:
            save_weights(network, last, told)
            progress.stale += 1
        if scores:
            worse = f", not as good as after {progress.best['seen']}"
            tqdm.write(f"{progress.seen} photographs: {scores}{'' if better else worse}")

    def _save_checkpoint(self) -> None:
        """Beside the one before, which stays until this one is whole."""
        new = self.settings.out / "checkpoint.new"
        if self.accelerator.is_main_process:
            _remove(new)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(new)
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            replace_checkpoint(self.settings.out)

    def _draw(self, network: nn.Module) -> None:
        """A sheet of samples and the curves; the run goes on without what cannot be drawn."""
        out, drawings = self.settings.out, dict[str, Callable[[], None]]()
        if (val := self.val) is not None:
            some = Batch(val.photos[:24], val.labels[:24])
            path = out / f"samples-{self.progress.seen:08d}.png"
            drawings["samples"] = lambda: draw_contact_sheet(
                self.recipe.draw_sheet(network, some), path
            )
        drawings["curves"] = lambda: draw_curves(self.progress.history, out / "curves.png")
        for name, draw in drawings.items():
            try:
                draw()
            except Exception as error:  # of any kind, in a recipe's code or in matplotlib's
                said = f"no {name} are drawn: {type(error).__name__}: {error}"
                if said not in self.warned:
                    tqdm.write(said)
                self.warned.add(said)

    def _list_looks(self, most: int = 8) -> list[dict[str, float]]:
        """The scores of all looks so far, or of so many, the first and the last among them."""
        rows = [row for row in self.progress.history if any(key.startswith("val_") for key in row)]
        chosen = sorted({round(i) for i in np.linspace(0, len(rows) - 1, most)}) if rows else []
        return [{k.removeprefix("val_"): round(v, 3) for k, v in rows[i].items()} for i in chosen]

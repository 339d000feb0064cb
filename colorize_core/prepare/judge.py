"""Which of the forms that were found are damage: a small network over their measurements, learned
from damage drawn on photographs (benchmarks/damage_judges.py). NumPy alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).parent / "judges.json"
ARRAYS = ("mean", "spread", "hidden", "output")  # in the file
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Judge:
    """One hidden layer. `mean` and `spread` are those of the measurements it has learned from."""

    mean: Numbers
    spread: Numbers
    hidden: Numbers  # (measurements + 1, units), the last row being added
    output: Numbers  # (units + 1,)
    threshold: float  # odds, as a logarithm, from which on it is damage

    def accept(self, measured: Numbers) -> NDArray[np.bool_]:
        """(n, measurements) -> (n,) whether each is damage."""
        return self.weigh(measured) > self.threshold

    def weigh(self, measured: Numbers) -> Numbers:
        """(n, measurements) -> (n,) the logarithm of the odds that it is damage."""
        # What lies far outside of what was learned from is no better known for it.
        inputs = np.clip((measured - self.mean) / self.spread, -4, 4)
        units = np.tanh(inputs @ self.hidden[:-1] + self.hidden[-1])
        odds: Numbers = units @ self.output[:-1] + self.output[-1]
        return odds

    @classmethod
    def read(cls, told: Any) -> Judge:
        """From what as_dict() gives."""
        mean, spread, hidden, output = (np.array(told[name], float) for name in ARRAYS)
        return cls(mean, spread, hidden, output, float(told["threshold"]))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = {name: np.round(getattr(self, name), 4).tolist() for name in ARRAYS}
        return told | {"threshold": self.threshold}


@lru_cache(maxsize=1)
def load_judges() -> dict[str, Judge]:
    """Those of each kind of form."""
    told = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: Judge.read(each) for name, each in told.items()}

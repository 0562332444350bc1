"""Does a dream rank policies as reality does?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mindseye.core.errors import DataError
from mindseye.core.report import Measure
from mindseye.evaluation.statistics import bootstrap, kendall, spearman

_ROUNDS = 500


@dataclass(frozen=True)
class PolicyAgreement:
    """Real against imagined success of the same policies; intervals resample episodes."""

    mmrv: Measure
    """Mean over policies of the worst real loss from trusting the dream's order; 0 is best."""
    pearson: Measure
    spearman: Measure
    kendall: Measure
    slope: Measure
    """Of imagined success on real success."""
    intercept: Measure
    bias: Measure
    """Imagined minus real: above 0 the dream promises too much."""

    def measures(self, name: str) -> list[Measure]:
        """All of them as "policies/PART/NAME"."""
        parts = ("mmrv", "pearson", "spearman", "kendall", "slope", "intercept", "bias")
        found = [getattr(self, part) for part in parts]
        return [
            Measure(f"policies/{m.name}/{name}", m.value, m.low, m.high, m.n, m.unit) for m in found
        ]


def mmrv(real: np.ndarray, imagined: np.ndarray) -> float:
    """Mean maximum rank violation of the policies' mean successes.

    Source: Li et al. (2024), "Evaluating real-world robot manipulation policies in simulation"
    (SIMPLER), arXiv 2405.05941.
    """
    gap = np.abs(real[:, None] - real[None, :])
    swapped = (imagined[:, None] < imagined[None, :]) != (real[:, None] < real[None, :])
    return float(np.where(swapped, gap, 0).max(1).mean())


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Linear correlation, in [−1, 1]; nan where one side is constant."""
    a, b = x - x.mean(), y - y.mean()
    norm = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm > 0 else float("nan")


def policy_agreement(real: np.ndarray, imagined: np.ndarray) -> PolicyAgreement:
    """Compare what policies really earn with what they earn in a dream.

    Args:
        real, imagined: Successes or returns, shape (policies, episodes); the numbers of episodes
            may differ.

    Raises:
        DataError: If there are fewer than two policies or not as many in both.
    """
    if len(real) != len(imagined) or len(real) < 2:
        raise DataError(
            f"policies: expected the same two or more, got {len(real)} and {len(imagined)}"
        )
    real, imagined = np.asarray(real, np.float64), np.asarray(imagined, np.float64)

    def measure(name: str, statistic: Callable[[np.ndarray, np.ndarray], float]) -> Measure:
        def draw(rng: np.random.Generator) -> float:
            return statistic(_resampled(real, rng), _resampled(imagined, rng))

        value = statistic(real.mean(1), imagined.mean(1))
        return Measure(name, value, *bootstrap(draw, rounds=_ROUNDS), n=len(real))

    return PolicyAgreement(
        mmrv=measure("mmrv", mmrv),
        pearson=measure("pearson", pearson),
        spearman=measure("spearman", spearman),
        kendall=measure("kendall", kendall),
        slope=measure("slope", lambda x, y: _line(x, y)[0]),
        intercept=measure("intercept", lambda x, y: _line(x, y)[1]),
        bias=measure("bias", lambda x, y: float((y - x).mean())),
    )


def _resampled(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    index = rng.integers(values.shape[1], size=values.shape)
    return np.take_along_axis(values, index, 1).mean(1)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of least squares; nan where x is constant."""
    a = x - x.mean()
    slope = float(a @ (y - y.mean()) / (a @ a)) if a @ a > 0 else float("nan")
    return slope, float(y.mean() - slope * x.mean())

"""Evolution of a parameter vector by CMA-ES: no gradients, only scores.

The search itself is the package `cma`; here it is made resumable without pickles: a state is the
scores seen so far, and going on replays them, which reproduces the search exactly.
"""

from typing import Any

import numpy as np

from mindseye.core.batch import Batch, Metrics
from mindseye.core.errors import ConfigError, LearnerError, MissingExtra
from mindseye.core.protocols import Learner


class Evolution(Learner):
    """Covariance matrix adaptation, maximising a score.

        evolution = Evolution(num_parameters=39, population=16, seed=0)
        evolution.update({"score": score(evolution.candidates)})
        best = evolution.mean

    Args:
        num_parameters: Length of a candidate.
        population: Candidates per generation.
        sigma: Deviation of the first generation from zero, in the parameters' unit.
        seed: Of the draws.
        diagonal: Adapt variances only, not covariances: learns faster in hundreds of dimensions
            (Ros and Hansen 2008).

    Raises:
        MissingExtra: If the package `cma` is not installed.
        ConfigError: If a size is too small for the search.

    Source: Hansen (2016), arXiv 1604.00772.
    """

    def __init__(
        self,
        num_parameters: int,
        *,
        population: int = 64,
        sigma: float = 0.1,
        seed: int = 0,
        diagonal: bool = False,
    ):
        if num_parameters < 2 or population < 4 or sigma <= 0:
            raise ConfigError(
                f"evolution: expected 2 parameters, 4 candidates and sigma > 0 at least, got"
                f" {num_parameters}, {population} and {sigma}"
            )
        self._arguments = (num_parameters, population, sigma, seed, diagonal)
        self._begin()

    @property
    def candidates(self) -> np.ndarray:
        """The generation to be scored, float64 (population, parameters)."""
        return np.stack(self._asked)

    @property
    def mean(self) -> np.ndarray:
        """Centre of the search, float64 (parameters,)."""
        return np.array(self._search.mean)

    def update(self, batch: Batch) -> Metrics:
        """Learn from `score` (population,), of `candidates` in their order; higher is better.

        Raises:
            LearnerError: If a score is missing or not finite.
        """
        score = np.asarray(batch["score"], np.float64)
        if score.shape != (len(self._asked),) or not np.isfinite(score).all():
            raise LearnerError(
                f"evolution: expected {len(self._asked)} finite scores, got {score}; mend the dream"
            )
        self._learn(score)
        return {
            "evolution/mean": float(score.mean()),
            "evolution/best": float(score.max()),
            "evolution/sigma": float(self._search.sigma),
        }

    def state_dict(self) -> dict:
        """All scores so far."""
        return {"scores": np.array(self._scores)}

    def load_state_dict(self, state: dict) -> None:
        """Go through the same generations again."""
        self._begin()
        for score in state["scores"]:
            self._learn(score)

    def _begin(self) -> None:
        num_parameters, population, sigma, seed, diagonal = self._arguments
        rng = np.random.default_rng(seed)
        options = {
            "popsize": population,
            "CMA_diagonal": diagonal,
            "randn": lambda *shape: rng.standard_normal(shape),
            # a number would seed NumPy's global generator
            "seed": np.nan,
            "verbose": -9,
        }
        self._search = _cma().CMAEvolutionStrategy(np.zeros(num_parameters), sigma, options)
        self._scores: list[np.ndarray] = []
        self._asked: list[np.ndarray] = self._search.ask()

    def _learn(self, score: np.ndarray) -> None:
        self._search.tell(self._asked, (-score).tolist())
        self._scores.append(score)
        self._asked = self._search.ask()


def _cma() -> Any:
    try:
        import cma
    except ImportError as error:
        raise MissingExtra("cma", "evolution") from error
    return cma

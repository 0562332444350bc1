"""The roles. No behaviour here: our classes inherit these explicitly, foreign ones fit by shape.

Trees are nested dicts and tuples of arrays, tensors or texts (`core.tree`). A *state* or a *memory*
is a tree whose leaves start with the batch axis, carried explicitly by the caller.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import gymnasium
import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from mindseye.core.batch import Batch, Metrics
from mindseye.core.episode import Episode
from mindseye.core.ledger import Ledger
from mindseye.core.report import Report
from mindseye.core.task import Task
from mindseye.core.tree import Tree

World = gymnasium.vector.VectorEnv
"""Anything you can step. Gymnasium's own type, in the house mode: AutoresetMode.DISABLED."""


@runtime_checkable
class Snapshots(Protocol):
    """Optional power of a world: branching."""

    def save(self) -> Any:
        """One moment of all sub-worlds, opaque."""
        ...

    def load(self, moment: Any, which: np.ndarray) -> None:
        """Return to a moment. `which[i]` is the row of the moment that sub-world i takes."""
        ...


@dataclass(frozen=True)
class Prediction:
    """What a world model says a state looks and feels like."""

    observation: Tree
    """As in the model's observation_space, batched, on the model's device."""
    reward: Float[Tensor, " batch"]
    continuation: Float[Tensor, " batch"]
    """Probability in [0, 1] that the episode goes on."""
    uncertainty: Float[Tensor, " batch"] | None = None
    """At least 0; how much the model doubts this prediction. None: the model cannot say."""


@runtime_checkable
class WorldModel(Protocol):
    """A learned, programmed or prompted world, in tensors, with gradients where it has them.

    Actions arrive as trees of tensors in the action space's own form (integer indices for
    `Discrete`). Models over discrete spaces also take one-hot floats, for gradients.
    """

    observation_space: gymnasium.Space
    action_space: gymnasium.Space

    def initial(self, batch_size: int) -> Tree:
        """State before anything was seen."""
        ...

    def observe(
        self, state: Tree, action: Tree, observation: Tree, is_first: Bool[Tensor, " batch"]
    ) -> Tree:
        """Posterior: the state after `action` led to `observation`. Rows with is_first forget."""
        ...

    def imagine(self, state: Tree, action: Tree) -> Tree:
        """Prior: a state `action` might lead to."""
        ...

    def predict(self, state: Tree) -> Prediction:
        """Read the heads."""
        ...


@runtime_checkable
class Latent(Protocol):
    """Optional power of a world model: its state as one vector, for heads built on top of it."""

    num_features: int

    def features(self, state: Tree) -> Float[Tensor, "batch features"]:
        """Flat view of the state, differentiable."""
        ...


@runtime_checkable
class Outcomes(Protocol):
    """Optional power of a world model: rewards without the cost of decoding observations."""

    def outcome(self, state: Tree) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Reward and continuation of a state, as `predict` would say them."""
        ...


@runtime_checkable
class Agent(Protocol):
    """What acts: batched and functional, memory in, memory out. It never sees a world."""

    def initial(self, batch_size: int) -> Tree:
        """Memory before the first observation of an episode."""
        ...

    def act(
        self, observation: Tree, memory: Tree, *, explore: bool = False
    ) -> tuple[Tree, Tree, dict[str, Tree]]:
        """Return (actions as NumPy, memory, extras to record per step)."""
        ...


@dataclass(frozen=True)
class Completion:
    """One answer of a language model."""

    text: str
    tokens: Sequence[int] = ()
    log_probs: Sequence[float] = ()
    stop_reason: str = "stop"


Messages = Sequence[Mapping[str, str]]
"""A conversation: each message has a "role" (system, user, assistant) and a "content"."""


@runtime_checkable
class LanguageModel(Protocol):
    """Completes chat messages, many at once."""

    ledger: Ledger
    """What its answers cost so far."""

    def complete(
        self,
        prompts: Sequence[Messages],
        *,
        samples: int = 1,
        max_tokens: int = 64,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        seed: int | None = None,
        choices: Sequence[Sequence[str]] | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> list[list[Completion]]:
        """`samples` completions for every prompt.

        Args:
            prompts: Conversations, each ending with a user's message.
            samples: Answers per prompt.
            max_tokens: Of one answer.
            temperature: 0 takes the likeliest.
            stop: Texts at which an answer ends; they are not part of it.
            seed: Of sampling.
            choices: Admissible answers, one list per prompt; the answer is one of them, verbatim.
            schema: JSON schema of a flat object; the answer is JSON text that satisfies it.

        Raises:
            ModelError: If no usable answer could be had.
        """
        ...


@runtime_checkable
class Learner(Protocol):
    """One call to update is one improvement."""

    def update(self, batch: Batch) -> Metrics:
        """Improve on a batch. Raises LearnerError when the result is not finite."""
        ...

    def state_dict(self) -> dict:
        """Everything needed to go on exactly."""
        ...

    def load_state_dict(self, state: dict) -> None:
        """Go on from state_dict."""
        ...


@runtime_checkable
class Experience(Protocol):
    """Any store of episodes."""

    def add(self, episodes: Iterable[Episode]) -> None:
        """Append episodes."""
        ...

    def sample(self, batch_size: int, length: int, rng: np.random.Generator) -> Batch:
        """Segments, fields as in `core.batch`. Valid until the next call: buffers are reused."""
        ...

    def __iter__(self) -> Iterator[Episode]: ...

    def __len__(self) -> int:
        """Steps, not episodes."""
        ...


@runtime_checkable
class TaskSource(Protocol):
    """Where tasks come from; a curriculum is one that learns in `observe`."""

    def sample(self, n: int, rng: np.random.Generator) -> list[Task]:
        """N tasks to attempt."""
        ...

    def observe(self, episodes: Iterable[Episode]) -> None:
        """Learn how attempts went."""
        ...


@runtime_checkable
class Evaluator(Protocol):
    """The common case of evaluation; usually a plain function."""

    def __call__(self, agent: Agent, world: World, *, episodes_per_world: int, seed: int) -> Report:
        """Judge an agent in a world."""
        ...


@dataclass(frozen=True)
class Cost:
    """What a plan cost."""

    model_steps: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What a planner found for each row of a batch."""

    action: Tree
    """First action, in the action space's own form, leaves start with the batch axis."""
    sequence: Tree
    """Whole plan, leaves (batch, horizon, ...); shifted by one it warm-starts the next call."""
    value: Float[Tensor, " batch"]
    """Predicted return of the plan."""
    cost: Cost = field(default_factory=Cost)


@runtime_checkable
class Planner(Protocol):
    """Searches over actions in any WorldModel, a dream or the true simulator alike."""

    horizon: int
    """Steps looked ahead."""

    def plan(self, model: WorldModel, state: Tree, *, warm: Tree | None = None) -> Plan:
        """Best actions from `state`; `warm` is the previous plan's `sequence`, already shifted."""
        ...


ValueFunction = Callable[[Tree], Tensor]
"""Model states to expected returns beyond a planner's horizon."""

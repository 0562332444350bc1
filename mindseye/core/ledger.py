"""What a language model's answers cost."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from mindseye.core.report import Measure


@dataclass
class Ledger:
    """Running totals; the one who answers adds to them."""

    calls: int = 0
    """Prompts answered, cached ones included."""
    cache_hits: int = 0
    """Prompts answered without asking the model."""
    prompt_tokens: int = 0
    """Read by the model; cached answers cost none."""
    completion_tokens: int = 0
    """Written by the model."""
    cost: float = 0.0
    """In the currency of the prices given, 0 where none are known."""
    seconds: float = 0.0
    """Waited for answers."""
    retries: int = 0
    """Requests sent again after a failure."""

    def add(self, **amounts: float) -> None:
        """Raise totals by name."""
        for name, amount in amounts.items():
            setattr(self, name, getattr(self, name) + amount)

    def state_dict(self) -> dict:
        """The totals, JSON-ready."""
        return asdict(self)

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on from earlier totals."""
        for name, amount in state.items():
            setattr(self, name, amount)

    def measures(self) -> list[Measure]:
        """The totals for a report, named language/NAME."""
        return [
            Measure(f"language/{name}", float(value), float(value), float(value), 1)
            for name, value in asdict(self).items()
        ]

"""Worlds of others that know how they are solved, and say so if asked."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Advises(Protocol):
    """An environment with a solver of its own, which sees what players do not see."""

    def advice(self) -> str:
        """What to say now; always something that is listed."""
        ...

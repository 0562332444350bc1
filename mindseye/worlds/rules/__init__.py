"""What small worlds share: rules of a state, stepped thousands of rows at once."""

from mindseye.worlds.rules.placing import Placeable, place, show, state_of
from mindseye.worlds.rules.randomness import Draws
from mindseye.worlds.rules.rules import Rules, State, put_rows, take_rows
from mindseye.worlds.rules.world import Moment, RulesWorld

__all__ = [
    "Draws",
    "Moment",
    "Placeable",
    "Rules",
    "RulesWorld",
    "State",
    "place",
    "put_rows",
    "show",
    "state_of",
    "take_rows",
]

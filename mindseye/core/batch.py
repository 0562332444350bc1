"""Learning batches: dicts of trees of tensors, leading axes (batch, time), one name per field.

Row t of a batch is an *arrival*: the action that led here, the reward it paid, the observation
reached. The action taken *from* row t is therefore the action of row t + 1, unless row t + 1 is the
first of another episode.

| field          | leaf shape        | meaning |
| -------------- | ----------------- | ------- |
| `observation`  | (batch, time, ...) | as in the world's observation space |
| `action`       | (batch, time, ...) | led to this row; zeros where `is_first` |
| `reward`       | (batch, time)     | float32, paid on arrival; 0 where `is_first` |
| `continuation` | (batch, time)     | float32, 0 where the episode *terminated* here, else 1 |
| `is_first`     | (batch, time)     | bool, first observation of an episode |
| `mask`         | (batch, time)     | float32, 1 for recorded rows, 0 for padding |
| `origin`       | (batch, time)     | uint8, 0 real, 1 imagined, 2 written |
| `log_prob`     | (batch, time)     | of `action` under the policy that acted |
| `value` `advantage` `return_` `weight` `group` | (batch, time) | as their names say |
"""

from typing import Any

Batch = dict[str, Any]
Metrics = dict[str, float]

FIELDS = [
    "observation",
    "action",
    "reward",
    "continuation",
    "is_first",
    "mask",
    "origin",
    "log_prob",
    "value",
    "advantage",
    "return_",
    "weight",
    "group",
]
ORIGINS = ("real", "imagined", "written")

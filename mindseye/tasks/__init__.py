"""What to attempt: sources of tasks, and variations of them."""

from mindseye.tasks.curriculum import VarianceCurriculum
from mindseye.tasks.variation import exchange_words

__all__ = ["VarianceCurriculum", "exchange_words"]

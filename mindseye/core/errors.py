"""Every exception mindseye raises on purpose.

    MindseyeError
      ConfigError(ValueError)        a recipe's option is impossible
      SpecError(ValueError)          a shape, dtype, space or range is not what the contract says
      WorldError(RuntimeError)       a world broke its contract or died
      ModelError(RuntimeError)       a model answered with something unusable
      LearnerError(RuntimeError)     an update is not finite
      DataError(ValueError)          an episode or dataset file is malformed
      CheckpointError(RuntimeError)  does not match what is being restored
      MissingExtra(ImportError)      names the extra to install

Messages read *where: expected X, got Y; do Z.* The command line prints them without a traceback.
"""


class MindseyeError(Exception):
    """Root of every error caused by an input, a file or a world rather than by a bug."""


class ConfigError(MindseyeError, ValueError):
    """An option, or a combination of options, cannot be honoured."""


class SpecError(MindseyeError, ValueError):
    """A shape, dtype, space or range is not what the contract says."""


class WorldError(MindseyeError, RuntimeError):
    """A world broke its contract or died."""


class ModelError(MindseyeError, RuntimeError):
    """A world model or language model answered with something unusable."""


class LearnerError(MindseyeError, RuntimeError):
    """An update produced numbers that are not finite."""


class DataError(MindseyeError, ValueError):
    """An episode or dataset file is malformed, empty or damaged."""


class CheckpointError(MindseyeError, RuntimeError):
    """A checkpoint is damaged or does not match what is being restored."""


class MissingExtra(MindseyeError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str):
        super().__init__(
            f'{package} is not installed; run: pip install "mindseye[{extra}]"', name=package
        )
        self.package, self.extra = package, extra

    def __reduce__(self):
        return type(self), (self.package, self.extra)

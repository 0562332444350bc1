"""Where a segment may start: sorted, disjoint intervals of rows."""

import numpy as np

from mindseye.core.errors import DataError


class Starts:
    """Rows at which a segment of a given length may start.

    Args:
        episodes: Table of the episodes that may be sampled, oldest first.
        length: Rows in a segment.
        crossing: Whether segments run on into the next episode. If not, they start at any row that
            has a next one, and stop early where their episode ends.

    Raises:
        DataError: If no segment fits.
    """

    def __init__(self, episodes: np.ndarray, *, length: int, crossing: bool):
        self.episodes, self.length, self.crossing = episodes, length, crossing
        first, stop = episodes["start"], episodes["start"] + episodes["rows"]
        if crossing and len(episodes):
            breaks = np.flatnonzero(first[1:] != stop[:-1])
            first = first[np.concatenate([[0], breaks + 1])]
            stop = stop[np.concatenate([breaks, [len(stop) - 1]])]
        counts = stop - first - (length - 1 if crossing else 1)
        fits = counts > 0
        self.first, self._stop, self._counts = first[fits], stop[fits], counts[fits]
        self._ends = np.cumsum(self._counts)
        if not len(self):
            rows = int(episodes["rows"].sum())
            raise DataError(
                f"sample: no segment of {length} rows fits into {rows} rows of {len(episodes)} "
                "episodes; add experience or ask for shorter segments"
            )

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def stop(self) -> int:
        """One past the last row of the last interval."""
        return int(self._stop[-1])

    def rows(self, positions: np.ndarray) -> np.ndarray:
        """Start rows by position, 0 being the oldest and len - 1 the newest."""
        interval = np.searchsorted(self._ends, positions, side="right")
        return self.first[interval] + positions - (self._ends - self._counts)[interval]

    def clamp(self, rows: np.ndarray) -> np.ndarray:
        """The start nearest before each row (after it if there is none before)."""
        interval = np.maximum(np.searchsorted(self.first, rows, side="right") - 1, 0)
        last = self.first[interval] + self._counts[interval] - 1
        return np.clip(rows, self.first[interval], last)

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """Rows a segment from each start really has; the rest is padding."""
        if self.crossing:
            return np.full(len(rows), self.length)
        interval = np.searchsorted(self.first, rows, side="right") - 1
        return np.minimum(self._stop[interval] - rows, self.length)

"""Batches of segments, gathered into buffers that are used again and again."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from mindseye.core.batch import Batch
from mindseye.experience.columns import Column, TextColumn
from mindseye.experience.encoding import blank_rows
from mindseye.experience.schema import ColumnSpec, grow


class SegmentBuffers:
    """Room for one batch of a fixed size.

    Args:
        specs: Columns to gather.
        indices: Names of columns that hold choices among integers: they leave as int64.
    """

    def __init__(
        self, specs: Sequence[ColumnSpec], indices: set[str], *, batch_size: int, length: int
    ):
        self._specs = specs
        shape = (batch_size, length)
        self._arrays = {
            spec.name: np.zeros(
                (*shape, *spec.shape), np.int64 if spec.name in indices else spec.dtype
            )
            for spec in specs
            if spec.dtype is not None
        }
        self._mask = np.ones(shape, np.float32)
        self._tensors = {name: torch.from_numpy(a) for name, a in self._arrays.items()}
        self._mask_tensor = torch.from_numpy(self._mask)
        self._steps = np.arange(length)

    def fill(
        self, columns: Mapping[str, Column | TextColumn], rows: np.ndarray, counts: np.ndarray
    ) -> Batch:
        """Gather segments that start at `rows` and have `counts` rows; zeros follow."""
        whole = bool((counts == len(self._steps)).all())
        index = rows[:, None] + self._steps if whole else None
        np.less(self._steps, counts[:, None], out=self._mask, casting="unsafe")
        leaves: list[tuple[tuple[str | int, ...], Any]] = []
        for spec in self._specs:
            column = columns[spec.name]
            if isinstance(column, TextColumn):
                leaves.append((spec.path, self._texts(column, rows, counts)))
                continue
            out = self._arrays[spec.name]
            if not (index is not None and column.gather(index, out)):
                _copy(column, spec, rows, counts, out)
            leaves.append((spec.path, self._tensors[spec.name]))
        return grow([*leaves, (("mask",), self._mask_tensor)])

    def _texts(self, column: TextColumn, rows: np.ndarray, counts: np.ndarray) -> list[list[str]]:
        length, segments = len(self._steps), []
        for row, count in zip(rows.tolist(), counts.tolist(), strict=True):
            begin = min(max(row, column.first_row), row + count)
            texts = column.rows_at(begin, row + count)
            segments.append([""] * (begin - row) + texts + [""] * (length - count))
        return segments


def _copy(
    column: Column, spec: ColumnSpec, rows: np.ndarray, counts: np.ndarray, out: np.ndarray
) -> None:
    for segment, row, count in zip(out, rows.tolist(), counts.tolist(), strict=True):
        begin = min(max(row, spec.first_row), row + count)
        if begin > row:
            segment[: begin - row] = blank_rows(spec, begin - row)
        if row + count > begin:
            column.read(begin, row + count, segment[begin - row : count])
        segment[count:] = 0

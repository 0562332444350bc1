"""Choosing the arithmetic: what this processor does fast, and how many threads to do it with."""

import os
from contextlib import AbstractContextManager, nullcontext

import torch


def has_fast_bfloat16(device: torch.device | str = "cpu") -> bool:
    """Whether matrix products in bfloat16 are native, and so at least twice as fast as float32.

    MINDSEYE_PRECISION=float32 says no.
    """
    if os.environ.get("MINDSEYE_PRECISION") == "float32":
        return False
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def fast_arithmetic(device: torch.device | str = "cpu") -> AbstractContextManager:
    """Context in which matrix products and convolutions run in bfloat16 where that is native.

    Weights, losses and optimiser states stay in float32. Elsewhere it does nothing.
    """
    if not has_fast_bfloat16(device):
        return nullcontext()
    return torch.autocast(torch.device(device).type, torch.bfloat16)


def choose_threads(processes: int = 1) -> int:
    """Set torch's threads to this process's share of the cores, at most four.

    The networks here are small: beyond a few threads, waiting for each other costs more than they
    save. OMP_NUM_THREADS, where it is set, is obeyed. Returns the number chosen.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "")
    share = (os.cpu_count() or 1) // processes
    threads = int(asked) if asked.isdecimal() and int(asked) > 0 else max(1, min(4, share))
    torch.set_num_threads(threads)
    return threads

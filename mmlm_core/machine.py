"""Facts of this machine: cores, processor, memory, graphics cards. Imports no torch unless it is loaded already."""

from __future__ import annotations

import netrc
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

__all__ = ["computes_bf16", "cores", "describe", "has_wandb_account", "set_threads"]


def cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_threads(threads: int = 0, processes: int = 1) -> int:
    """Set torch's threads in this process, and return how many they are; more than cores would slow it down.

    Args:
        threads: 0: what the variable `OMP_NUM_THREADS` says, or else the cores, shared out to the processes.
        processes: How many processes share the cores.
    """
    import torch

    asked = os.environ.get("OMP_NUM_THREADS", "")
    threads = threads or (int(asked) if asked.isdigit() else 0) or max(1, cores() // processes)
    torch.set_num_threads(threads)
    return threads


@cache
def computes_bf16() -> bool:
    """Whether the processor has bf16 arithmetic (avx512_bf16, AMX); elsewhere bf16 is slower than float32."""
    flags = _cpu_field("flags").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def describe() -> dict[str, Any]:
    """Return the machine as plain values, for the record of a run."""
    facts: dict[str, Any] = {
        "system": platform.system(),
        "cpu": _cpu_field("model name") or platform.processor() or platform.machine(),
        "cores": cores(),
        "memory_gib": _memory_gib(),
        "gpus": [],
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        facts["gpus"] = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return facts


def has_wandb_account() -> bool:
    """Whether an API key is set up for wandb's server, in the environment or in the user's netrc file."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False


@cache
def _cpu_field(name: str) -> str:
    """Return a field of Linux's description of the processor; empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.split("\t")[0].strip() == name), "")


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None

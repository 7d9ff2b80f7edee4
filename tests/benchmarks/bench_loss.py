"""C9: the loss of 2048 tokens over a vocabulary of 50,000, in parts and with all logits at once: peak memory and time."""

import resource
import subprocess
import sys

import torch
from torch import Tensor
from torch.nn import functional

from mmlm_core.cross_entropy import linear_cross_entropy
from tests.benchmarks.common import cores, line, ratio, seconds

TOKENS, WIDTH, VOCABULARY = 2048, 384, 50_000


def plain(hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(functional.linear(hidden, weight).float(), labels, reduction="sum")


WAYS = {"parts": linear_cross_entropy, "plain": plain}


def step(way: str, bf16: bool) -> tuple[float, float]:
    """Return the loss, and the norm of the gradients, of one pass forwards and backwards."""
    drawn = torch.Generator().manual_seed(0)
    hidden = torch.randn(TOKENS, WIDTH, generator=drawn).requires_grad_()
    weight = (torch.randn(VOCABULARY, WIDTH, generator=drawn) * 0.02).requires_grad_()
    labels = torch.randint(VOCABULARY, (TOKENS,), generator=drawn)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = WAYS[way](hidden, weight, labels) / TOKENS
    loss.backward()
    step.mebibytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return loss.item(), float(hidden.grad.norm() + weight.grad.norm())


def main() -> None:
    torch.set_num_threads(cores())
    names = {False: "float32", True: "bf16"}
    for bf16, name in names.items():
        for way in WAYS:  # each in a process of its own, since a process's peak never falls, and begins at its parent's
            command = [sys.executable, "-m", "tests.benchmarks.bench_loss", way, str(int(bf16))]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
            print(f"{name}, {way}: {said}{' (goal 200 MiB)' if way == 'parts' else ''}", flush=True)
    for bf16, name in names.items():
        figures = ratio(lambda: seconds(lambda: step("parts", bf16)), lambda: seconds(lambda: step("plain", bf16)))  # noqa: B023
        line(f"the same, time, {name}", figures, "0.91 (1.1 times the time)")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        loss, norm = step(sys.argv[1], sys.argv[2] == "1")
        print(f"{step.mebibytes:.0f} MiB, loss {loss:.4f}, gradients {norm:.5f}")
    else:
        main()

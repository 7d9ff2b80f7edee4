"""Two processes with the rows of one batch learn what one process learns with all of them."""

import socket

import pytest
import torch
from torch import distributed, multiprocessing

from mmlm_contrastive.contrastive import Contrastive
from mmlm_contrastive.options import ContrastiveOptions, PairLoss
from mmlm_core.types import Batch, Features

ROWS, WIDTH = 6, 5
DIGESTS = torch.tensor([[1, 1], [2, 2], [3, 1], [4, 4], [5, 5], [6, 2]])  # texts are shared within and across processes


def head(loss, gather=True):
    torch.manual_seed(0)
    options = ContrastiveOptions(width=4, loss=loss, gather=gather)
    return Contrastive(options, width=WIDTH, modalities=("image", "text"), facts={}).train()


def rows(places):
    generator = torch.Generator().manual_seed(1)
    values = [torch.randn(ROWS, 2, WIDTH, generator=generator)[places] for _ in range(2)]
    leaves = {name: value.requires_grad_() for name, value in zip(("image", "text"), values, strict=True)}
    return leaves, Batch(len(places), {}, {"digests": DIGESTS[places]}, [])


def learn(loss, places, gather=True):
    """Return the sum of the loss, and its gradients by the weights and by the rows."""
    model, (leaves, batch) = head(loss, gather), rows(places)
    total = model.loss({name: Features(values) for name, values in leaves.items()}, batch).total
    total.backward()
    return total.detach(), [p.grad for p in model.parameters()], {name: v.grad for name, v in leaves.items()}


def worker(rank, port, folder, loss, split, gather):
    distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    try:
        torch.save(learn(loss, split[rank], gather), f"{folder}/{rank}.pt")
    finally:
        distributed.destroy_process_group()


def together(folder, loss, split, gather=True):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(worker, (port, str(folder), loss, split, gather), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.slow
@pytest.mark.parametrize("split", [[[0, 1, 2], [3, 4, 5]], [[0, 1, 2, 3], [4, 5]]], ids=["even", "uneven"])
@pytest.mark.parametrize("loss", list(PairLoss))
def test_two_processes_learn_what_one_learns_of_all_rows(tmp_path, loss, split):
    whole, weights, leaves = learn(loss, list(range(ROWS)))
    parts = together(tmp_path, loss, split)
    torch.testing.assert_close(parts[0][0] + parts[1][0], whole)
    for place, expected in enumerate(weights):  # the sum: DDP takes the mean of both
        torch.testing.assert_close(parts[0][1][place] + parts[1][1][place], expected)
    for name, expected in leaves.items():  # what another process makes of a row reaches the row
        torch.testing.assert_close(torch.cat([part[2][name] for part in parts]), expected)


@pytest.mark.slow
def test_without_gathering_each_process_has_its_own_negatives(tmp_path):
    split = [[0, 1, 2], [3, 4, 5]]
    parts = together(tmp_path, PairLoss.infonce, split, gather=False)
    for part, places in zip(parts, split, strict=True):
        torch.testing.assert_close(part[0], learn(PairLoss.infonce, places)[0])

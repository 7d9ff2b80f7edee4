from __future__ import annotations

import pytest
import torch
from mmlm_optim.adamw import AdamW
from mmlm_optim.constant import Constant
from mmlm_optim.cosine import Cosine
from mmlm_optim.linear import Linear
from mmlm_optim.muon import Muon
from mmlm_optim.options import AdamWOptions, ConstantOptions, CosineOptions, LinearOptions, MuonOptions
from torch import nn


def test_cosine_rises_in_the_warm_up_and_falls_to_its_floor() -> None:
    schedule = Cosine(CosineOptions(warmup=0.2, floor=0.1))
    factors = [schedule.factor(0, progress) for progress in (0.0, 0.1, 0.2, 0.6, 1.0)]
    assert factors == pytest.approx([0.01, 0.5, 1.0, 0.55, 0.1])


def test_linear_falls_by_a_line() -> None:
    schedule = Linear(LinearOptions(warmup=0.0, floor=0.0))
    assert [schedule.factor(0, progress) for progress in (0.0, 0.25, 1.0)] == pytest.approx([1.0, 0.75, 0.0])


def test_constant_stays() -> None:
    assert {Constant(ConstantOptions()).factor(step, step / 9) for step in range(10)} == {1.0}


def test_adamw_decays_matrices_and_kernels_but_no_vectors_and_no_embeddings() -> None:
    model = nn.ModuleDict({"e": nn.Embedding(3, 2), "l": nn.Linear(2, 2), "c": nn.Conv1d(2, 2, 1)})
    decayed, others = AdamW(AdamWOptions(weight_decay=0.5)).build(model).param_groups
    assert [p.shape for p in decayed["params"]] == [(2, 2), (2, 2, 1)] and decayed["weight_decay"] == 0.5
    assert [p.shape for p in others["params"]] == [(3, 2), (2,), (2,)] and others["weight_decay"] == 0.0


def test_a_tied_embedding_is_not_decayed() -> None:
    model = nn.ModuleDict({"e": nn.Embedding(3, 2), "l": nn.Linear(2, 3, bias=False)})
    model["l"].weight = model["e"].weight
    (group,) = AdamW(AdamWOptions()).build(model).param_groups
    assert group["weight_decay"] == 0.0 and len(group["params"]) == 1


def test_muon_equals_torchs_muon_and_adamw_on_their_parameters() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(4, 4), nn.Linear(4, 4)
    theirs.load_state_dict(ours.state_dict())
    options = MuonOptions()
    together = Muon(options).build(ours)
    muon = torch.optim.Muon([theirs.weight], lr=options.lr, momentum=options.momentum, weight_decay=options.weight_decay)
    adamw = torch.optim.AdamW([theirs.bias], lr=options.adamw_lr, betas=(0.9, 0.98), weight_decay=0.0)
    for step in range(3):
        for model, optimizers in ((ours, [together]), (theirs, [muon, adamw])):
            model(torch.eye(4) + step).square().sum().backward()
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
    torch.testing.assert_close(ours.weight, theirs.weight)
    torch.testing.assert_close(ours.bias, theirs.bias)


def test_a_schedule_reaches_both_parts_of_muon() -> None:
    optimizer = Muon(MuonOptions()).build(nn.Linear(2, 2))
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    before = [p.clone() for group in optimizer.param_groups for p in group["params"]]
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = torch.ones_like(p)
    optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(before, [p for g in optimizer.param_groups for p in g["params"]], strict=True))

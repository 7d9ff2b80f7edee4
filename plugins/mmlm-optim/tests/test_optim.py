from __future__ import annotations

import pytest
import torch
from torch import nn

from mmlm_optim.adamw import AdamW
from mmlm_optim.constant import Constant
from mmlm_optim.cosine import Cosine
from mmlm_optim.linear import Linear
from mmlm_optim.muon import Muon, _in_bf16, _in_float32
from mmlm_optim.options import AdamWOptions, ConstantOptions, CosineOptions, LinearOptions, MuonOptions, SgdOptions
from mmlm_optim.parameters import split
from mmlm_optim.sgd import Sgd


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


def test_learned_positions_and_queries_are_no_matrices_and_no_kernels() -> None:
    class Placed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.positions = nn.Parameter(torch.zeros(5, 2))
            self.query = nn.Parameter(torch.zeros(1, 1, 2))
            self.layer = nn.Linear(2, 2, bias=False)

    matrices, kernels, others = split(Placed())
    assert ([p.shape for p in matrices], kernels, [p.shape for p in others]) == ([(2, 2)], [], [(5, 2), (1, 1, 2)])


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
    muon = torch.optim.Muon(
        [theirs.weight], lr=options.lr, momentum=options.momentum, weight_decay=options.weight_decay
    )
    adamw = torch.optim.AdamW([theirs.bias], lr=options.adamw_lr, betas=(0.9, 0.98), weight_decay=0.0)
    for step in range(3):
        for model, optimizers in ((ours, [together]), (theirs, [muon, adamw])):
            model(torch.eye(4) + step).square().sum().backward()
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
    # Torch orthogonalises in bfloat16, ours in float32: each of 3 steps of 0.02 may differ by a few percent.
    torch.testing.assert_close(ours.weight, theirs.weight, rtol=0, atol=3 * 0.02 * 0.05)
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
    assert all(
        torch.equal(a, b) for a, b in zip(before, [p for g in optimizer.param_groups for p in g["params"]], strict=True)
    )


@pytest.mark.parametrize("shape", [(6, 6), (12, 3), (3, 12)])
def test_muon_moves_every_direction_of_a_matrix_about_equally_far(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    model = nn.Linear(shape[1], shape[0], bias=False)
    before = model.weight.detach().clone()
    optimizer = Muon(MuonOptions(lr=1.0, weight_decay=0.0)).build(model)
    model.weight.grad = torch.randn(shape)
    optimizer.step()
    moved = torch.linalg.svdvals(before - model.weight.detach()) / max(1, shape[0] / shape[1]) ** 0.5
    assert moved.min() > 0.6 and moved.max() < 1.3


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for step in range(steps):
        optimizer.zero_grad()
        model(torch.eye(4) + step).square().sum().backward()
        optimizer.step()


@pytest.mark.parametrize("make", [AdamW(AdamWOptions()), Muon(MuonOptions()), Sgd(SgdOptions())])
def test_a_saved_optimizer_goes_on_as_if_it_had_never_stopped(make: AdamW | Muon | Sgd, tmp_path) -> None:
    torch.manual_seed(0)
    model, other = nn.Linear(4, 4), nn.Linear(4, 4)
    optimizer, fresh = make.build(model), make.build(other)
    train(model, optimizer, 3)
    for group in optimizer.param_groups:
        group["lr"] *= 0.5
    torch.save([model.state_dict(), optimizer.state_dict()], tmp_path / "saved")
    weights, state = torch.load(tmp_path / "saved")
    other.load_state_dict(weights)
    fresh.load_state_dict(state)
    assert [group["lr"] for group in fresh.param_groups] == [group["lr"] for group in optimizer.param_groups]
    for group in [*optimizer.param_groups, *fresh.param_groups]:
        group["lr"] *= 0.5  # the schedule still reaches the loaded one
    train(model, optimizer, 2)
    train(other, fresh, 2)
    assert torch.equal(model.weight, other.weight) and torch.equal(model.bias, other.bias)


def test_sgd_takes_one_step_down_the_gradient() -> None:
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, 1.0)
    nn.init.constant_(model.bias, 1.0)
    optimizer = Sgd(SgdOptions(lr=0.5, momentum=0.0, weight_decay=0.1)).build(model)
    model.weight.grad, model.bias.grad = torch.tensor([[1.0]]), torch.tensor([1.0])
    optimizer.step()
    assert model.weight.item() == pytest.approx(1 - 0.5 * (1 + 0.1 * 1)) and model.bias.item() == 0.5


def test_what_is_frozen_is_not_trained() -> None:
    model = nn.Linear(2, 2)
    model.weight.requires_grad_(False)
    for make in (AdamW(AdamWOptions()), Muon(MuonOptions()), Sgd(SgdOptions())):
        assert [p.shape for group in make.build(model).param_groups for p in group["params"]] == [(2,)]


def test_fused_adamw_leaves_unscaling_to_who_clips() -> None:
    optimizer = AdamW(AdamWOptions()).build(nn.Linear(2, 2))
    assert optimizer.param_groups[0]["fused"] and not optimizer._step_supports_amp_scaling


@pytest.mark.parametrize("shape", [(8, 8), (6, 20), (20, 6), (1, 5)])
def test_the_short_way_equals_newton_and_schulzs_iteration(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    near = matrix.double() / matrix.double().norm()
    for _ in range(5):
        near = 3.4445 * near - 4.7750 * near @ near.T @ near + 2.0315 * near @ near.T @ near @ near.T @ near
    torch.testing.assert_close(_in_float32(matrix), near.float(), rtol=1e-3, atol=1e-4)


def test_the_short_way_holds_where_singular_values_differ_by_orders_of_magnitude() -> None:
    """As those of gradients do."""
    left, right = (torch.linalg.qr(torch.randn(size, 24, dtype=torch.float64))[0] for size in (24, 60))
    values = torch.logspace(0, -3, 24, dtype=torch.float64)
    reached = values / values.norm()
    for _ in range(5):
        reached = 3.4445 * reached - 4.7750 * reached**3 + 2.0315 * reached**5
    made = _in_float32((left * values @ right.T).float())
    torch.testing.assert_close(made, (left * reached @ right.T).float(), rtol=0, atol=2e-3)


@pytest.mark.parametrize("shape", [(8, 8), (24, 8), (8, 24)])
def test_matrices_that_are_orthogonalised_at_once_become_what_each_does_alone(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrices = torch.randn(3, *shape) * torch.tensor([0.1, 1.0, 10.0]).view(3, 1, 1)
    for made, matrix in zip(_in_bf16(matrices).float(), matrices, strict=True):
        torch.testing.assert_close(made, _in_float32(matrix), rtol=0, atol=0.04)


def test_layers_of_one_shape_are_each_updated_by_their_own_gradient() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(*(nn.Linear(6, 6, bias=False) for _ in range(3)), nn.Linear(6, 2, bias=False))
    alone = [nn.Linear(layer.in_features, layer.out_features, bias=False) for layer in layers]
    for layer, twin in zip(layers, alone, strict=True):
        twin.load_state_dict(layer.state_dict())
        layer.weight.grad = torch.randn_like(layer.weight)
        twin.weight.grad = layer.weight.grad.clone()
        Muon(MuonOptions()).build(twin).step()
    Muon(MuonOptions()).build(layers).step()
    for layer, twin in zip(layers, alone, strict=True):
        torch.testing.assert_close(layer.weight, twin.weight)


def test_a_kernel_is_updated_as_the_matrix_of_its_output_channels() -> None:
    torch.manual_seed(0)
    kernel, matrix = nn.Conv2d(3, 4, 2, bias=False), nn.Linear(12, 4, bias=False)
    matrix.weight.data.copy_(kernel.weight.data.flatten(1))
    kernel.weight.grad = torch.randn(4, 3, 2, 2)
    matrix.weight.grad = kernel.weight.grad.flatten(1)
    for model in (kernel, matrix):
        Muon(MuonOptions()).build(model).step()
    torch.testing.assert_close(kernel.weight.flatten(1), matrix.weight)

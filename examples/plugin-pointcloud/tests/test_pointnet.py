"""The encoder, against what it is said to compute."""

import numpy as np
import pytest
import torch

from mmlm_core.errors import OptionError
from mmlm_pointcloud.options import AugmentOptions, PointNetOptions
from mmlm_pointcloud.plugin import mmlm_components
from mmlm_pointcloud.pointnet import PointNet, in_groups

CLOUDS = [np.random.default_rng(seed).normal(size=(size, 3)) for seed, size in enumerate((90, 32, 7, 1))]


def encoder(**options: object) -> PointNet:
    torch.manual_seed(0)
    return PointNet(PointNetOptions(points=32, channels=[8, 16], width=12, **options)).eval()  # type: ignore[arg-type]


def items(clouds: list[np.ndarray] = CLOUDS) -> dict[str, torch.Tensor]:
    processor = encoder().processor()
    return processor.collate([processor.process(cloud) for cloud in clouds], None)


def test_one_token_is_the_greatest_value_of_each_channel_over_the_points() -> None:
    made, given = encoder(), items()
    features = made(given)
    assert features.values.shape == (4, 1, 12) and features.mask is None
    for row in range(4):
        points = given["points"][row][given["valid"][row]]
        by_hand = torch.stack([made.shared(point) for point in points]).amax(0)
        torch.testing.assert_close(features.values[row, 0], made.project(by_hand))


@pytest.mark.parametrize("tokens", [1, 4])
def test_the_order_of_the_points_does_not_matter(tokens: int) -> None:
    made = encoder(tokens=tokens)
    shuffled = [np.random.default_rng(9).permutation(cloud) for cloud in CLOUDS]
    assert torch.equal(made(items(shuffled)).values, made(items()).values)


def test_even_an_order_that_the_processor_did_not_make_does_not_matter_to_one_token() -> None:
    made, given = encoder(), items(CLOUDS[:1])
    turned = {name: tensor.flip(1) for name, tensor in given.items()}
    torch.testing.assert_close(made(turned).values, made(given).values)


@pytest.mark.parametrize("tokens", [1, 4])
def test_more_padding_changes_nothing(tokens: int) -> None:
    made, given = encoder(tokens=tokens), items(CLOUDS[2:])
    padded = {"points": torch.nn.functional.pad(given["points"], (0, 0, 0, 9), value=5.0),
              "valid": torch.nn.functional.pad(given["valid"], (0, 9))}  # fmt: skip
    torch.testing.assert_close(made(padded).values, made(given).values)


def test_groups_are_runs_of_neighbours_and_differ_by_one_point_at_most() -> None:
    points = torch.arange(10.0).view(1, 10, 1).expand(1, 10, 3)
    valid = torch.arange(10).unsqueeze(0) < 7
    grouped, inside = in_groups(points, valid, 3)
    assert [grouped[0, group, inside[0, group], 0].tolist() for group in range(3)] == [[0, 1, 2], [3, 4], [5, 6]]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("length", [1, 2, 5, 8])
def test_every_point_stands_in_one_group(count: int, length: int) -> None:
    points = torch.arange(8.0).view(1, 8, 1).expand(1, 8, 3)
    grouped, inside = in_groups(points, torch.arange(8).unsqueeze(0) < length, count)
    assert grouped[inside][:, 0].tolist() == list(range(length))
    assert inside.any(2).sum() == min(length, count)


def test_a_cloud_of_fewer_points_than_tokens_has_a_token_for_each_point() -> None:
    features = encoder(tokens=8)(items())
    assert features.valid.sum(1).tolist() == [8, 8, 7, 1]
    assert features.values.isfinite().all()


def test_gradients_are_finite_where_groups_are_empty() -> None:
    made = encoder(tokens=8)
    made(items()).values.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in made.parameters())


def test_its_processor_has_its_options() -> None:
    augment = AugmentOptions(rotation=5)
    processor = PointNet(PointNetOptions(points=40, augment=augment)).processor()
    assert processor.points == 40 and processor.augment is augment


def test_what_it_provides_follows_its_tokens() -> None:
    component = mmlm_components()[0]
    assert component.traits_for(PointNetOptions()).provides == {"pooled"}
    assert component.traits_for(PointNetOptions(tokens=2)).provides == {"sequence"}


@pytest.mark.parametrize(("given", "message"), [
    ({"points": 0}, "`points` must be at least 1, not 0."),
    ({"channels": []}, "`channels` must have at least one layer, each at least 1, not []."),
    ({"tokens": 300}, "`tokens` must be at most `points` (256), not 300."),
    ({"dropout": 1.0}, "`dropout` must be from 0 to 0.95, not 1.0."),
])  # fmt: skip
def test_a_wrong_option_is_named(given: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        PointNetOptions(**given)  # type: ignore[arg-type]
    assert str(caught.value) == message

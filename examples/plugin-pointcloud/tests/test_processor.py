"""The processor: one cloud always gives the same tensors, however it is stored and sorted."""

import io
import pickle
import struct

import numpy as np
import pytest
import torch

from mmlm_pointcloud.options import AugmentOptions, Axis
from mmlm_pointcloud.processor import CloudProcessor
from mmlm_pointcloud.space import in_unit_ball, sorted_by_place, thinned

RANDOM = np.random.default_rng(0)
CLOUD = RANDOM.normal(size=(500, 3)).astype(np.float32)
STILL = AugmentOptions(enabled=False)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(augment: AugmentOptions, seed: int | None, up: Axis = Axis.z, sizes: tuple[int, ...] = (300, 20)) -> dict:
    processor = CloudProcessor(64, augment, up)
    items = [processor.process(CLOUD[:size]) for size in sizes]
    return processor.collate(items, None if seed is None else generator(seed))


# The cloud, whatever its order and its file


@pytest.mark.parametrize("points", [64, 1000])
def test_the_order_of_the_points_changes_nothing(points: int) -> None:
    processor = CloudProcessor(points, STILL)
    expected = processor.process(CLOUD)["points"]
    for seed in range(5):
        shuffled = np.random.default_rng(seed).permutation(CLOUD)
        assert torch.equal(processor.process(shuffled)["points"], expected)


def test_points_in_one_cell_are_sorted_too() -> None:
    close = np.concatenate([1e-7 * RANDOM.normal(size=(50, 3)), [[1.0, 1.0, 1.0]]])
    assert np.array_equal(sorted_by_place(close), sorted_by_place(close[::-1]))


@pytest.mark.parametrize("order", ["", "<", ">"], ids=["ascii", "little", "big"])
def test_a_ply_and_a_npy_file_of_one_cloud_give_the_same_tensors(order: str) -> None:
    kind = {"": "ascii", "<": "binary_little_endian", ">": "binary_big_endian"}[order]
    ply = (f"ply\nformat {kind} 1.0\nelement vertex {len(CLOUD)}\nproperty float x\nproperty float y\n"
           "property float z\nend_header\n").encode()  # fmt: skip
    if order:
        ply += b"".join(struct.pack(f"{order}fff", *point) for point in CLOUD.tolist())
    else:
        ply += b"".join(b"%r %r %r\n" % tuple(point) for point in CLOUD.tolist())
    npy = io.BytesIO()
    np.save(npy, CLOUD)
    processor = CloudProcessor(128, STILL)
    given = [ply, npy.getvalue(), CLOUD, CLOUD.tolist(), torch.from_numpy(CLOUD)]
    first, *others = (processor.process(item)["points"] for item in given)
    assert all(torch.equal(first, other) for other in others)


# The unit ball


def test_the_mean_is_the_origin_and_the_farthest_point_lies_at_1() -> None:
    points = in_unit_ball(CLOUD.astype(np.float64) * 40 + 300)
    assert np.allclose(points.mean(axis=0), 0) and np.isclose(np.linalg.norm(points, axis=1).max(), 1)


def test_three_points_by_hand() -> None:
    points = in_unit_ball(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 6.0], [0.0, 0.0, 0.0]]))
    assert np.allclose(points, [[0, 0, -0.5], [0, 0, 1], [0, 0, -0.5]])


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_the_smallest_and_the_largest_clouds_are_the_same_cloud(scale: float) -> None:
    processor = CloudProcessor(64, STILL)
    assert torch.allclose(processor.process(CLOUD.astype(np.float64) * scale)["points"],
                          processor.process(CLOUD)["points"], atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("place", [0.0, 5.0])
def test_points_that_lie_in_one_place_lie_at_the_origin(place: float) -> None:
    assert CloudProcessor(64, STILL).process(np.full((7, 3), place))["points"].tolist() == [[0.0, 0.0, 0.0]] * 7


# Fewer points


def test_a_small_cloud_keeps_every_point_and_a_large_one_a_fixed_number() -> None:
    assert [len(CloudProcessor(64, STILL).process(CLOUD[:size])["points"]) for size in (1, 63, 64, 65, 500)] == [
        1, 63, 64, 64, 64]  # fmt: skip


def test_thinning_takes_the_middle_of_even_steps() -> None:
    points = np.arange(12.0)[:, None].repeat(3, axis=1)
    assert thinned(points, 4)[:, 0].tolist() == [1, 4, 7, 10]
    assert thinned(points, 5)[:, 0].tolist() == [1, 3, 6, 8, 10]


def test_neighbours_in_space_are_neighbours_in_the_order() -> None:
    corners = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])
    cloud = (corners[:, None] + 0.01 * RANDOM.random((8, 30, 3))).reshape(-1, 3)
    ordered = sorted_by_place(RANDOM.permutation(cloud)).reshape(8, 30, 3)
    assert (np.ptp(ordered, axis=1) < 0.02).all()  # every thirty points are those of one corner


def test_a_thinned_cloud_still_covers_the_whole() -> None:
    dense = RANDOM.normal(size=(20000, 3))
    kept = CloudProcessor(200, STILL).process(dense)["points"].numpy()
    assert np.abs(kept.std(axis=0) - in_unit_ball(dense).std(axis=0)).max() < 0.03


# Batches


def test_a_batch_is_padded_with_zeros_to_its_largest_cloud() -> None:
    made = batch(STILL, None)
    assert made["points"].shape == (2, 64, 3) and made["valid"].sum(1).tolist() == [64, 20]
    assert (made["points"][1, 20:] == 0).all() and not made["valid"][1, 20:].any()


def test_without_a_generator_nothing_is_random() -> None:
    assert torch.equal(batch(AugmentOptions(), None)["points"], batch(STILL, None)["points"])
    assert torch.equal(batch(STILL, 1)["points"], batch(STILL, None)["points"])


def test_the_generator_alone_decides_what_is_random() -> None:
    torch.manual_seed(1)
    first = batch(AugmentOptions(), 7)["points"]
    state = torch.random.get_rng_state()
    again, other = batch(AugmentOptions(), 7)["points"], batch(AugmentOptions(), 8)["points"]
    assert torch.equal(first, again) and not torch.allclose(first, other)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("up", Axis)
def test_a_rotation_keeps_heights_and_distances(up: Axis) -> None:
    turned = batch(AugmentOptions(jitter=0), 3, up)["points"]
    plain = batch(STILL, None)["points"]
    axis = "xyz".index(up)
    assert torch.equal(turned[..., axis], plain[..., axis])
    assert torch.allclose(torch.cdist(turned, turned), torch.cdist(plain, plain), atol=1e-3)
    assert not torch.allclose(turned, plain, atol=0.05)
    triple = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    made = CloudProcessor(8, AugmentOptions(jitter=0), up).collate([{"points": triple}], generator())["points"][0]
    assert torch.linalg.det(made) > 0.99  # turned, not mirrored


def test_each_cloud_of_a_batch_turns_by_an_angle_of_its_own() -> None:
    processor = CloudProcessor(64, AugmentOptions(jitter=0))
    items = [processor.process(CLOUD[:40])] * 4
    made = processor.collate(items, generator())["points"]
    assert all(not torch.allclose(made[0], made[place], atol=1e-2) for place in (1, 2, 3))


def test_jitter_moves_points_by_its_size_and_never_padding() -> None:
    made, plain = batch(AugmentOptions(rotation=0, jitter=0.02), 3), batch(STILL, None)
    moved = (made["points"] - plain["points"])[made["valid"]]
    assert 0.017 < moved.std() < 0.023 and moved.abs().max() <= 0.1
    assert (made["points"][~made["valid"]] == 0).all()


def test_the_items_of_a_batch_stay_as_they_were() -> None:
    processor = CloudProcessor(64, AugmentOptions())
    item = processor.process(CLOUD)
    before = item["points"].clone()
    processor.collate([item], generator())
    assert torch.equal(item["points"], before)


def test_a_pickled_processor_gives_the_same() -> None:
    processor = CloudProcessor(64, AugmentOptions(rotation=10), Axis.y)
    copied = pickle.loads(pickle.dumps(processor))
    items = [processor.process(CLOUD)]
    assert torch.equal(processor.collate(items, generator())["points"], copied.collate(items, generator())["points"])


# Reports


def test_a_cloud_is_drawn_where_it_is() -> None:
    pole = np.array([[0.0, 0.0, step / 100] for step in range(101)])
    for up, tall in ((Axis.z, True), (Axis.y, False)):
        dark = np.argwhere(np.asarray(CloudProcessor(256, STILL, up).picture(pole).convert("L")) < 200)
        down, across = np.ptp(dark, axis=0)
        assert (down > 3 * across) == tall

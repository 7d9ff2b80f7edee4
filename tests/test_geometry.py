"""Labels follow their pictures."""

import torch

from mmlm_core.geometry import boxed, follow, inverse

LABELS = torch.arange(16).view(1, 4, 4)


def test_an_item_that_fills_its_frame_is_where_it_was():
    whole = boxed((4, 4), (0, 0, 4, 4))
    assert whole.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert torch.equal(follow(LABELS, whole[None], (4, 4), outside=99), LABELS)


def test_labels_stand_in_the_box_that_the_item_was_put_into_and_nowhere_else():
    placed = follow(LABELS, boxed((4, 6), (0, 1, 4, 4))[None], (4, 6), outside=99)
    assert placed[0].tolist() == [[99, *row, 99] for row in LABELS[0].tolist()]


def test_what_lies_beyond_the_frame_is_cut_off():
    placed = follow(LABELS, boxed((2, 2), (-1, -1, 4, 4))[None], (2, 2), outside=99)
    assert placed[0].tolist() == [[5, 6], [9, 10]]


def test_labels_that_are_made_larger_stay_whole_numbers():
    placed = follow(LABELS, boxed((8, 8), (0, 0, 8, 8))[None], (8, 8), outside=99)
    assert torch.equal(placed, LABELS.repeat_interleave(2, 1).repeat_interleave(2, 2))


def test_the_inverse_leads_back():
    theta = torch.tensor([[[0.9, 0.3, 0.1], [-0.2, 1.1, -0.4]]])
    both = inverse(theta)[..., :2] @ theta[..., :2]
    torch.testing.assert_close(both, torch.eye(2)[None])
    torch.testing.assert_close(inverse(inverse(theta)), theta)


def test_a_label_may_be_the_outside_itself():
    assert follow(torch.full((1, 2, 2), 7), boxed((2, 2), (0, 0, 1, 1))[None], (2, 2), outside=7).eq(7).all()


def test_labels_stand_where_they_did_while_a_model_computes_in_bf16():
    row = torch.arange(600).view(1, 1, 600)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(follow(row, boxed((1, 600), (0, 0, 1, 600))[None], (1, 600), outside=-1), row)


def test_the_inverse_is_exact_while_a_model_computes_in_bf16():
    theta = torch.tensor([[[0.9, 0.3, 0.1], [-0.2, 1.1, -0.4]]])
    exact = inverse(theta)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(inverse(theta), exact)

import torch

from mmlm_core.targets import IGNORED
from mmlm_writing.windows import all_windows, random_window


def test_windows_without_overlap_are_cut_side_by_side():
    ids, labels, mask = all_windows(torch.arange(10, 17), torch.arange(11, 18), context=3, overlap=0, pad=0)
    assert ids.tolist() == [[10, 11, 12], [13, 14, 15], [16, 0, 0]]
    assert labels.tolist() == [[11, 12, 13], [14, 15, 16], [17, IGNORED, IGNORED]]
    assert mask.tolist() == [[True] * 3, [True] * 3, [True, False, False]]


def test_an_overlap_is_read_again_and_not_scored_again():
    ids, labels, _ = all_windows(torch.arange(10, 16), torch.arange(11, 17), context=4, overlap=2, pad=0)
    assert ids.tolist() == [[10, 11, 12, 13], [12, 13, 14, 15]]
    assert labels.tolist() == [[11, 12, 13, 14], [IGNORED, IGNORED, 15, 16]]


def test_every_label_is_scored_exactly_once_for_all_lengths_contexts_and_overlaps():
    for length in range(1, 14):
        for context in range(1, 8):
            for overlap in range(context):
                labels = torch.arange(100, 100 + length)
                _, cut, mask = all_windows(torch.arange(length), labels, context, overlap, pad=-1)
                assert cut[cut != IGNORED].tolist() == labels.tolist()
                assert mask.any(1).all()


def test_a_random_window_lies_within_the_text_and_draws_each_position_often_enough():
    generator = torch.Generator().manual_seed(0)
    positions, context, draws = 10, 4, 4000
    hits = torch.zeros(positions)
    for _ in range(draws):
        window = random_window(positions, context, generator)
        assert window.stop - window.start == context and window.start >= 0 and window.stop <= positions
        hits[window] += 1
    assert (hits / draws > context / (positions + context - 1) - 0.03).all()


def test_a_text_that_fits_is_its_own_window():
    assert random_window(4, 4, torch.Generator()) == slice(0, 4)

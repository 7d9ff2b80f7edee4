"""Stripes are hidden within their limits, in training alone."""

import pytest
import torch

from mmlm_audio.mel_processor import MelProcessor
from mmlm_audio.options import LogmelConvOptions, SpecAugmentOptions
from mmlm_audio.spec_augment import spec_augment

STILL = SpecAugmentOptions(time_masks=0, band_masks=0)
LENGTHS = torch.tensor([40, 25, 1])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sounds() -> torch.Tensor:
    mel = torch.randn(3, 40, 10, generator=generator(9)) + 3
    return mel * (torch.arange(40) < LENGTHS.unsqueeze(1)).unsqueeze(-1)


def test_without_masks_and_warp_nothing_changes():
    assert torch.equal(spec_augment(sounds(), LENGTHS, STILL, generator()), sounds())


@pytest.mark.parametrize("seed", range(20))
def test_a_stripe_of_time_is_hidden_by_the_mean_and_is_no_wider_than_its_share(seed):
    made = spec_augment(
        sounds(), LENGTHS, SpecAugmentOptions(time_masks=1, time_share=0.2, band_masks=0), generator(seed)
    )
    for item, length in enumerate(LENGTHS.tolist()):
        before, after = sounds()[item, :length], made[item, :length]
        hidden = (before != after).all(1)
        assert (before != after).any(1).equal(hidden)
        places = hidden.nonzero()[:, 0].tolist()
        assert len(places) <= max(0.2 * length, 1) and places == list(
            range(places[0], places[-1] + 1) if places else []
        )
        torch.testing.assert_close(after[hidden], before.mean().expand_as(after[hidden]))


@pytest.mark.parametrize("seed", range(20))
def test_a_stripe_of_bands_is_hidden_over_the_whole_time(seed):
    made = spec_augment(
        sounds(), LENGTHS, SpecAugmentOptions(time_masks=0, band_masks=1, band_share=0.3), generator(seed)
    )
    changed = (made != sounds())[0]
    assert changed.any(0).equal(changed.all(0)) and changed.any(0).sum() <= 3


def test_stripes_of_every_width_come_up():
    options = SpecAugmentOptions(time_masks=1, time_share=0.2, band_masks=0)
    widths = {
        int((spec_augment(sounds(), LENGTHS, options, generator(seed)) != sounds())[0].all(1).sum())
        for seed in range(200)
    }
    assert widths == set(range(9))


def test_padding_stays_zero_and_its_width_changes_nothing():
    options = SpecAugmentOptions(warp=0.3)
    wider = torch.cat([sounds(), torch.zeros(3, 7, 10)], 1)
    short, long = (spec_augment(mel, LENGTHS, options, generator(3)) for mel in (sounds(), wider))
    torch.testing.assert_close(short, long[:, :40])
    assert (short[1, 25:] == 0).all() and (long[:, 40:] == 0).all()


def test_warping_keeps_the_first_and_the_last_spectrum_and_moves_a_moment_between():
    ramp = torch.arange(41.0).view(1, 41, 1).repeat(1, 1, 2)
    moved = 0
    for seed in range(20):
        options = SpecAugmentOptions(time_masks=0, band_masks=0, warp=0.3)
        made = spec_augment(ramp, torch.tensor([41]), options, generator(seed))[0, :, 0]
        assert made[0] == 0 and made[-1] == 40
        assert (made.diff() >= 0).all()  # time never runs back
        assert (made - ramp[0, :, 0]).abs().max() <= 0.3 * 40 + 1e-3
        moved += bool((made - ramp[0, :, 0]).abs().max() > 1)
    assert moved > 10


def test_only_training_sees_it():
    processor = MelProcessor(LogmelConvOptions(sample_rate=8000, bands=20))
    item = processor.process({"array": torch.randn(8000, generator=generator()).numpy(), "sampling_rate": 8000})
    plain = processor.collate([item], None)["mel"]
    assert torch.equal(plain[0], item["mel"])
    assert not torch.equal(processor.collate([item], generator())["mel"], plain)
    off = MelProcessor(LogmelConvOptions(sample_rate=8000, bands=20, augment=SpecAugmentOptions(enabled=False)))
    assert torch.equal(off.collate([item], generator())["mel"], plain)

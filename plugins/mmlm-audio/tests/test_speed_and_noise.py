"""Sounds of the training come at other speeds and with noise, those of the validation as they are."""

from typing import Any

import pytest
import torch

from mmlm_audio.mel_processor import MelProcessor
from mmlm_audio.noise import with_noise
from mmlm_audio.options import LogmelConvOptions, SpecAugmentOptions, WaveAugmentOptions, WaveConvOptions
from mmlm_audio.speed import at_other_speed
from mmlm_audio.wave_processor import WaveProcessor

LENGTHS = torch.tensor([200, 120, 1])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ramps() -> torch.Tensor:
    """Sounds that rise from 0 to 1, zeros behind."""
    places = torch.arange(200)
    return (places / (LENGTHS - 1).clamp(min=1).unsqueeze(1)) * (places < LENGTHS.unsqueeze(1))


@pytest.mark.parametrize("seed", range(1, 6))
def test_at_another_speed_a_ramp_is_a_ramp_of_another_length(seed: int) -> None:
    made, lengths = at_other_speed(ramps(), LENGTHS, 0.2, generator(seed))
    assert made.shape[1] == lengths.max() and lengths[2] == 1
    for item in (0, 1):
        length = int(lengths[item])
        assert LENGTHS[item] / 1.2 - 1 <= length <= LENGTHS[item] / 0.8 + 1 and length != LENGTHS[item]
        torch.testing.assert_close(made[item, :length], torch.linspace(0, 1, length))
        assert not made[item, length:].any()


def test_a_spectrogram_changes_as_each_of_its_bands_does_and_none_becomes_too_short() -> None:
    alone, lengths = at_other_speed(ramps(), LENGTHS, 0.3, generator())
    bands, same = at_other_speed(torch.stack([ramps(), 2 * ramps()], dim=-1), LENGTHS, 0.3, generator())
    assert torch.equal(lengths, same) and torch.equal(bands, torch.stack([alone, 2 * alone], dim=-1))
    assert at_other_speed(ramps(), LENGTHS, 0.5, generator(2), least=119)[1].tolist()[1:] >= [119, 1]


def test_noise_is_no_louder_than_said_and_leaves_padding() -> None:
    sounds = torch.zeros(3, 200)
    made = with_noise(sounds, LENGTHS, 0.5, generator())
    assert made[0].std() < 0.55 and made[0].any() and not made[1, 120:].any()


MEL = MelProcessor(LogmelConvOptions(augment=SpecAugmentOptions(speed=0.3, noise=0.2, time_masks=0, band_masks=0)))
WAVE = WaveProcessor(WaveConvOptions(augment=WaveAugmentOptions(speed=0.3, noise=0.2)))


@pytest.mark.parametrize(("processor", "name"), [(MEL, "mel"), (WAVE, "wave")], ids=["mel", "wave"])
def test_only_the_training_is_augmented(processor: Any, name: str) -> None:
    items = [processor.process({"array": torch.randn(samples, generator=generator()).numpy(), "sampling_rate": 16000})
             for samples in (4000, 8000)]  # fmt: skip
    still, again = processor.collate(items, None), processor.collate(items, None)
    assert torch.equal(still[name][1], items[1][name]) and torch.equal(still[name], again[name])
    training = processor.collate(items, generator())
    assert training[name].shape != still[name].shape and processor.augments
    assert torch.equal(training[name], processor.collate(items, generator())[name])

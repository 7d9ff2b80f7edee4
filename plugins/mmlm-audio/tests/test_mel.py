"""The spectrogram is the one that others define."""

import math

import numpy as np
import pytest
import scipy.signal
import torch

from mmlm_audio.mel import LogMel, mel_filters
from mmlm_audio.options import LogmelConvOptions, MelScale
from mmlm_core.errors import OptionError

NOISE = np.random.default_rng(0).normal(size=8000) * 0.1


def mels_of(frequency: float, htk: bool) -> float:
    """`librosa.hz_to_mel` and `torchaudio.functional`'s `_hz_to_mel`, for one number."""
    if htk:
        return 2595.0 * math.log10(1.0 + frequency / 700.0)
    return frequency / (200.0 / 3) if frequency < 1000 else 15.0 + math.log(frequency / 1000.0) / (math.log(6.4) / 27.0)


def frequency_of(mel: float, htk: bool) -> float:
    low, high = 0.0, 1e6
    for _ in range(200):  # whatever the formula's inverse is
        middle = (low + high) / 2
        low, high = (middle, high) if mels_of(middle, htk) < mel else (low, middle)
    return low


def reference_filters(rate: int, size: int, bands: int, low: float, high: float, htk: bool) -> np.ndarray:
    """`librosa.filters.mel(htk=False, norm="slaney")`, or torchaudio's `melscale_fbanks(mel_scale="htk", norm=None)`."""
    first, last = mels_of(low, htk), mels_of(high, htk)
    edges = [frequency_of(first + (last - first) * i / (bands + 1), htk) for i in range(bands + 2)]
    made = np.zeros((size // 2 + 1, bands))
    for band, (left, middle, right) in enumerate(zip(edges, edges[1:], edges[2:], strict=False)):
        for place in range(size // 2 + 1):
            frequency = place * rate / size
            weight = min((frequency - left) / (middle - left), (right - frequency) / (right - middle))
            made[place, band] = max(0.0, weight) * (1.0 if htk else 2.0 / (right - left))
    return made


@pytest.mark.parametrize("scale", list(MelScale))
@pytest.mark.parametrize(("rate", "bands", "low", "high"), [(16000, 40, 0.0, None), (8000, 20, 100.0, 3500.0)])
def test_the_filters_are_those_of_the_reference(scale, rate, bands, low, high):
    options = LogmelConvOptions(sample_rate=rate, bands=bands, lowest=low, highest=high, scale=scale)
    expected = reference_filters(rate, options.window_samples, bands, low, high or rate / 2, scale is MelScale.htk)
    np.testing.assert_allclose(mel_filters(options).numpy(), expected, atol=1e-9)


def test_slaneys_filters_have_the_values_that_librosas_documentation_shows():
    """`librosa.filters.mel(sr=22050, n_fft=2048)`: the first row begins 0, 0.016, and the last ends in 0."""
    options = LogmelConvOptions(sample_rate=22050, window=1000 * 2048 / 22050, bands=128)
    filters = mel_filters(options)
    assert options.window_samples == 2048 and filters.shape == (1025, 128)
    assert filters[0, 0] == 0 and round(float(filters[1, 0]), 3) == 0.016 and filters[-1, -1].abs() < 1e-9


@pytest.mark.parametrize("scale", list(MelScale))
def test_the_spectrogram_is_the_references(scale):
    options = LogmelConvOptions(sample_rate=8000, bands=20, scale=scale, normalize=False)
    size, hop = options.window_samples, options.hop_samples
    assert (size, hop) == (200, 80)
    _, _, spectra = scipy.signal.stft(NOISE, 8000, window=scipy.signal.get_window("hann", size), nperseg=size,
                                      noverlap=size - hop, boundary=None, padded=False, scaling="spectrum")  # fmt: skip
    power = np.abs(spectra * scipy.signal.get_window("hann", size).sum()) ** 2  # scipy divides by the window's sum
    filters = reference_filters(8000, size, 20, 0.0, 4000.0, scale is MelScale.htk)
    expected = np.log(np.maximum(power.T @ filters, 1e-10))
    made = LogMel(options)(torch.from_numpy(NOISE))
    assert made.shape == expected.shape == (1 + (8000 - 200) // 80, 20)
    np.testing.assert_allclose(made.numpy(), expected, atol=1e-4)


def test_a_tone_is_loudest_in_the_band_that_holds_it():
    options = LogmelConvOptions(bands=40, normalize=False)
    tone = torch.sin(2 * math.pi * 1000 * torch.arange(16000) / 16000)
    loudest = LogMel(options)(tone).mean(0).argmax()
    edges = [frequency_of(mels_of(8000, False) * i / 41, False) for i in range(42)]
    assert edges[loudest] < 1000 < edges[loudest + 2]


def test_frames_begin_each_hop_and_end_with_the_last_whole_window():
    log_mel = LogMel(LogmelConvOptions(sample_rate=8000, bands=20))
    for samples in (200, 279, 280, 281, 1000):
        assert len(log_mel(torch.zeros(samples))) == log_mel.frames(samples) == 1 + (samples - 200) // 80
    assert log_mel.frames(199) == 0


def test_normalisation_gives_each_band_mean_0_and_the_whole_deviation_1():
    mel = LogMel(LogmelConvOptions(sample_rate=8000, bands=20))(torch.from_numpy(NOISE))
    torch.testing.assert_close(mel.mean(0), torch.zeros(20), atol=1e-5, rtol=0)
    assert abs(float(mel.square().mean().sqrt()) - 1) < 1e-3


def test_loudness_changes_nothing_where_it_is_normalised():
    log_mel = LogMel(LogmelConvOptions(sample_rate=8000, bands=20))
    torch.testing.assert_close(log_mel(torch.from_numpy(NOISE)), log_mel(torch.from_numpy(NOISE * 3)))


@pytest.mark.parametrize("samples", [torch.zeros(400), torch.full((400,), 1e30), torch.full((400,), 0.5)])
def test_silence_and_any_finite_sample_give_finite_values(samples):
    assert LogMel(LogmelConvOptions(sample_rate=8000, bands=20))(samples).isfinite().all()


def test_bands_that_no_frequency_lies_in_are_refused():
    with pytest.raises(OptionError) as caught:
        LogMel(LogmelConvOptions(bands=200))
    assert str(caught.value).startswith("`bands` must be fewer, or `window` longer: ")

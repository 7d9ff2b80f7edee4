"""Log-mel spectrograms."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mmlm_audio.options import LogmelOptions, MelScale
from mmlm_core.errors import OptionError

__all__ = ["LogMel", "mel_filters"]

FLOOR = 1e-10
"""Power under which all is equally silent."""

_LINEAR = 200.0 / 3
_BREAK = 1000.0
_STEP = math.log(6.4) / 27.0


class LogMel:
    """Makes the log-mel spectrogram of one sound.

    The power of windows of `window` ms (a periodic Hann window, no padding before the first or behind the last),
    through triangular filters on the mel scale, as a natural logarithm, 1e-10 the least. With `scale=slaney` it is
    `librosa.feature.melspectrogram(..., n_fft=window, hop_length=hop, center=False, htk=False, norm="slaney")`, with
    `scale=htk` torchaudio's `MelSpectrogram(..., n_fft=window, hop_length=hop, center=False, mel_scale="htk",
    norm=None)`, before the logarithm.

    Args:
        options: The options.

    Raises:
        OptionError: A band is so narrow that no frequency of the spectrum lies in it.
    """

    def __init__(self, options: LogmelOptions) -> None:
        self.window_samples, self.hop_samples = options.window_samples, options.hop_samples
        self.normalize = options.normalize
        self._window = torch.hann_window(self.window_samples, dtype=torch.float64)
        self._filters = mel_filters(options)
        empty = int((self._filters.sum(0) == 0).sum())
        if empty:
            raise OptionError(f"`bands` must be fewer, or `window` longer: {empty} of {options.bands} bands lie "
                              f"between two of the frequencies that {options.window:g} ms tell apart.")  # fmt: skip

    def frames(self, samples: int) -> int:
        """Return how many spectra so many samples have; none where they are fewer than a window."""
        return 0 if samples < self.window_samples else 1 + (samples - self.window_samples) // self.hop_samples

    def __call__(self, samples: Tensor) -> Tensor:
        """Return the spectrogram, normalised where the options say so.

        Shape: [samples] -> [T, bands], float32.
        """
        windows = samples.double().unfold(0, self.window_samples, self.hop_samples) * self._window
        power = torch.fft.rfft(windows).abs().square()  # in float64: a sample may be any finite float32
        spectrogram = (power @ self._filters).clamp(min=FLOOR).log()
        if self.normalize:
            spectrogram = spectrogram - spectrogram.mean(0)
            spectrogram = spectrogram / (spectrogram.square().mean().sqrt() + 1e-5)
        made: Tensor = spectrogram.float()
        return made


def mel_filters(options: LogmelOptions) -> Tensor:
    """Return the triangular filters (Davis & Mermelstein 1980).

    Shape: [window // 2 + 1, bands], float64.
    """
    slaney = options.scale is MelScale.slaney
    ends = torch.tensor([options.lowest, options.top], dtype=torch.float64)
    low, high = (_to_mel(ends, slaney)).tolist()
    edges = _to_hertz(torch.linspace(low, high, options.bands + 2, dtype=torch.float64), slaney)
    frequencies = torch.fft.rfftfreq(options.window_samples, 1 / options.sample_rate, dtype=torch.float64)
    rising = (frequencies[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies[:, None]) / (edges[2:] - edges[1:-1])
    filters = torch.minimum(rising, falling).clamp(min=0)
    return filters * (2 / (edges[2:] - edges[:-2])) if slaney else filters


def _to_mel(hertz: Tensor, slaney: bool) -> Tensor:
    """Return mels: by Slaney's Auditory Toolbox (1998), or by HTK's formula (Young et al. 2006)."""
    if not slaney:
        return 2595.0 * torch.log10(1 + hertz / 700)
    bent = _BREAK / _LINEAR + (hertz.clamp(min=_BREAK) / _BREAK).log() / _STEP
    return torch.where(hertz < _BREAK, hertz / _LINEAR, bent)


def _to_hertz(mels: Tensor, slaney: bool) -> Tensor:
    if not slaney:
        return 700 * (10 ** (mels / 2595.0) - 1)
    place = _BREAK / _LINEAR
    return torch.where(mels < place, mels * _LINEAR, _BREAK * torch.exp(_STEP * (mels - place)))

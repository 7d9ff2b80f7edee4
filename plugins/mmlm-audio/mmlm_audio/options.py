"""The options of the sound encoders. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import prod

from mmlm_core.errors import OptionError
from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range

__all__ = ["Convolution", "LogmelConvOptions", "LogmelOptions", "LogmelTransformerOptions", "MelScale", "SoundOptions",
           "SpecAugmentOptions", "WaveAugmentOptions", "WaveConvOptions"]  # fmt: skip


class MelScale(StrEnum):
    """How frequencies become mels."""

    slaney = "slaney"
    htk = "htk"


class Convolution(StrEnum):
    """Over which axes of a spectrogram the stem's convolutions go."""

    time = "time"
    time_frequency = "time_frequency"


@dataclass
class SpecAugmentOptions:
    """Stripes of a training spectrogram are hidden (Park et al. 2019); validation and prediction see it unchanged."""

    enabled: bool = True
    """False: the training sees the spectrograms unchanged too."""
    time_masks: int = 2
    """Stripes of time that are hidden."""
    time_share: float = 0.1
    """Width of such a stripe at most, as a share of the sound."""
    band_masks: int = 2
    """Stripes of neighbouring bands that are hidden."""
    band_share: float = 0.2
    """Width of such a stripe at most, as a share of the bands."""
    warp: float = 0.0
    """A moment of the sound is moved by up to this share of it, and what lies around is stretched; 0: none is."""
    speed: float = 0.0
    """Made faster or slower by up to this share, the pitch as it was (0.1: 0.9 to 1.1 times as fast)."""
    noise: float = 0.0
    """Noise is added to the spectrogram, with a standard deviation of up to this (that of a normalised one is 1)."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "speed", 0, 0.5)
        check_range(self, "noise", 0, 10)
        for name in ("time_masks", "band_masks"):
            check_range(self, name, 0, 100)
        for name in ("time_share", "band_share"):
            check_range(self, name, 0, 1)
        check_range(self, "warp", 0, 0.4)


@dataclass
class WaveAugmentOptions:
    """Random changes of a training wave; validation and prediction hear it unchanged."""

    speed: float = 0.0
    """Played faster or slower by up to this share, the pitch too (0.1: 0.9 to 1.1 times as fast; Ko et al. 2015)."""
    noise: float = 0.0
    """White noise is added, as loud as up to this share of the sound."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "speed", 0, 0.5)
        check_range(self, "noise", 0, 10)


@dataclass
class SoundOptions:
    """What every encoder of sound asks."""

    sample_rate: int = 16000
    """Samples per second; a sound of any other rate is resampled."""
    most_seconds: float = 30.0
    """A longer sound is refused, or cut."""
    cut: bool = False
    """Cut what is longer than `most_seconds` off its end; false: such a row is refused."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_range(self, "sample_rate", 1000, 768000)
        check_range(self, "most_seconds", 0.01, 3600)


@dataclass
class LogmelOptions(SoundOptions):
    """A log-mel spectrogram, and the convolutions that shorten it."""

    window: float = 25.0
    """Milliseconds of sound in one spectrum (a Hann window)."""
    hop: float = 10.0
    """Milliseconds from one spectrum to the next."""
    bands: int = 80
    """Mel bands of a spectrum."""
    scale: MelScale = MelScale.slaney
    """`slaney`: linear below 1 kHz, filters of equal area, as librosa and Whisper; `htk`: logarithmic, filters of equal
    height, as HTK and torchaudio."""
    lowest: float = 0.0
    """Hertz where the first band begins."""
    highest: float | None = None
    """Hertz where the last band ends; None: half of `sample_rate`."""
    normalize: bool = True
    """Subtract each band's mean over the sound, and divide by the standard deviation of all bands."""
    convolution: Convolution = Convolution.time
    """`time`: along the time, bands as channels, as in Whisper; `time_frequency`: along both, as pictures."""
    channels: int = 128
    """Channels of the convolutions."""
    subsampling: int = 2
    """Spectra that become one position: a power of two, each doubling by a convolution of stride 2."""
    width: int = 128
    """Width of the features."""
    dropout: float = 0.1
    """Share of the values that is dropped in training."""
    augment: SpecAugmentOptions = field(default_factory=SpecAugmentOptions)
    """Random changes of the training spectrograms."""

    def __post_init__(self) -> None:
        """Check the ranges, and that the window holds a spectrum."""
        super().__post_init__()
        check_choices(self)
        for name in ("bands", "channels", "width"):
            check_range(self, name, 1)
        check_range(self, "window", 1, 1000)
        check_range(self, "hop", 0.5, 1000)
        check_range(self, "lowest", 0)
        check_range(self, "dropout", 0, 0.95)
        check_range(self, "subsampling", 1, 64)
        if self.subsampling & (self.subsampling - 1):
            raise OptionError(f"`subsampling` must be a power of two, not {self.subsampling}.")
        if self.hop > self.window:
            raise OptionError(f"`hop` must be at most `window`, {self.window:g} ms, or sound between is not read; "
                              f"not {self.hop:g}.")  # fmt: skip
        if not self.lowest < self.top <= self.sample_rate / 2:
            raise OptionError(f"`highest` must be above `lowest`, {self.lowest:g}, and at most half of `sample_rate`, "
                              f"{self.sample_rate / 2:g}; not {self.top:g}.")  # fmt: skip

    @property
    def top(self) -> float:
        """Hertz where the last band ends."""
        return self.sample_rate / 2 if self.highest is None else self.highest

    @property
    def window_samples(self) -> int:
        """Samples of a window."""
        return max(2, round(self.window * self.sample_rate / 1000))

    @property
    def hop_samples(self) -> int:
        """Samples from one window to the next."""
        return max(1, round(self.hop * self.sample_rate / 1000))

    @property
    def positions_per_second(self) -> float:
        """Positions of a second of sound."""
        return self.sample_rate / self.hop_samples / self.subsampling


@dataclass
class LogmelConvOptions(LogmelOptions):
    """A log-mel spectrogram, then convolutions that shorten it (the stem of Whisper, Radford et al. 2023)."""


@dataclass
class LogmelTransformerOptions(LogmelOptions):
    """The spectrogram and the convolutions of `logmel_conv`, then a small Transformer that reads both ways."""

    depth: int = 2
    """Transformer layers."""
    heads: int = 4
    """Heads of an attention; they divide `width`."""
    ratio: float = 2.0
    """Width of the feed-forward part, as a multiple of `width`."""

    def __post_init__(self) -> None:
        """Check the ranges, and what must divide what."""
        super().__post_init__()
        check_range(self, "depth", 1)
        check_range(self, "heads", 1)
        check_range(self, "ratio", 0.1)
        if self.width % self.heads:
            raise OptionError(f"`width` must be a multiple of `heads` ({self.heads}), not {self.width}.")


@dataclass
class WaveConvOptions(SoundOptions):
    """The raw wave through strided convolutions (the feature encoder of wav2vec 2.0, Baevski et al. 2020)."""

    channels: int = 128
    """Channels of the convolutions."""
    kernels: list[int] = field(default_factory=lambda: [10, 3, 3, 3, 3, 2, 2])
    """Samples, then positions, that each convolution reads."""
    strides: list[int] = field(default_factory=lambda: [5, 2, 2, 2, 2, 2, 2])
    """Samples, then positions, from one reading of a convolution to the next."""
    width: int = 128
    """Width of the features."""
    dropout: float = 0.1
    """Share of each position's features that is dropped in training."""
    augment: WaveAugmentOptions = field(default_factory=WaveAugmentOptions)
    """Random changes of the training waves; off unless one of them is set."""

    def __post_init__(self) -> None:
        """Check the ranges, and that there are as many kernels as strides."""
        super().__post_init__()
        check_range(self, "channels", 1)
        check_range(self, "width", 1)
        check_range(self, "dropout", 0, 0.95)
        for name in ("kernels", "strides"):
            given = getattr(self, name)
            if not given or min(given) < 1:
                raise OptionError(f"`{name}` must have at least one layer, each at least 1, not {list(given)}.")
        if len(self.kernels) != len(self.strides):
            raise OptionError(f"`strides` must be as many as `kernels`, {len(self.kernels)}, not {len(self.strides)}.")

    @property
    def receptive(self) -> int:
        """Samples that one position reads, which are the least that a sound must have."""
        least = 1
        for kernel, stride in zip(reversed(self.kernels), reversed(self.strides), strict=True):
            least = (least - 1) * stride + kernel
        return least

    @property
    def positions_per_second(self) -> float:
        """Positions of a second of sound."""
        return self.sample_rate / float(prod(self.strides))

"""The processor of sounds as raw waves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmlm_audio.drawing import drawing
from mmlm_audio.lengths import positions_of
from mmlm_audio.mel import LogMel
from mmlm_audio.noise import with_noise
from mmlm_audio.options import LogmelConvOptions, WaveConvOptions
from mmlm_audio.reading import load_sound
from mmlm_audio.speed import at_other_speed
from mmlm_core.errors import DataError
from mmlm_core.interfaces import Processor

__all__ = ["WaveProcessor"]


class WaveProcessor(Processor):
    """Resamples a sound, and brings its wave to mean 0 and standard deviation 1; batches are padded.

    Args:
        options: The options.
    """

    content = ("wave",)

    def __init__(self, options: WaveConvOptions) -> None:
        self.options = options

    @property
    def augments(self) -> bool:
        """Whether training waves are changed."""
        return bool(self.options.augment.speed or self.options.augment.noise)

    def process(self, item: Any) -> dict[str, Tensor]:
        """Return one sound's wave, and how many positions the encoder makes of it.

        Shape: wave [samples], float; positions [].

        Raises:
            DataError: It is no sound, or shorter than what one position reads.
        """
        samples = self._samples(item)
        if len(samples) < self.options.receptive:
            rate = self.options.sample_rate
            raise DataError(f"The sound is {1000 * len(samples) / rate:.4g} ms long; one position of the sound encoder "
                            f"reads {1000 * self.options.receptive / rate:.4g} ms.")  # fmt: skip
        samples = samples.double()
        samples = samples - samples.mean()
        return self._made((samples / (samples.square().mean().sqrt() + 1e-7)).float())

    def blank(self) -> dict[str, Tensor]:
        """Return the shortest silence."""
        return self._made(torch.zeros(self.options.receptive))

    def measures(self, tensors: Mapping[str, Tensor]) -> dict[str, float]:
        """Return a sound's `seconds`."""
        return {"seconds": len(tensors["wave"]) / self.options.sample_rate}

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Pad the waves with zeros to the longest, and change them where there is a generator.

        Shape: wave [I, samples], float; lengths [I], in samples, left out where they are all the same.
        """
        waves = [item["wave"] for item in items]
        lengths = torch.tensor([len(wave) for wave in waves])
        wave = pad_sequence(waves, batch_first=True)
        options = self.options.augment
        if generator is not None and options.speed:
            wave, lengths = at_other_speed(wave, lengths, options.speed, generator, self.options.receptive)
        if generator is not None and options.noise:
            wave = with_noise(wave, lengths, options.noise, generator)
        return {"wave": wave} if bool((lengths == wave.shape[1]).all()) else {"wave": wave, "lengths": lengths}

    def picture(self, item: Any) -> Any:
        """Return a drawing of the sound's spectrogram, for reports."""
        rate = self.options.sample_rate
        samples = self._samples(item)
        options = LogmelConvOptions(sample_rate=rate, bands=20, normalize=False)
        short = max(0, options.window_samples - len(samples))
        return drawing(LogMel(options)(torch.nn.functional.pad(samples, (0, short))))

    def _samples(self, item: Any) -> Tensor:
        options = self.options
        return torch.from_numpy(load_sound(item, options.sample_rate, options.most_seconds, options.cut))

    def _made(self, wave: Tensor) -> dict[str, Tensor]:
        return {"wave": wave, "positions": positions_of(torch.tensor(len(wave)), self.options)}

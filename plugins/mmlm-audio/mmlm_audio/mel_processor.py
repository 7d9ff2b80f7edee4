"""The processor of sounds as log-mel spectrograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmlm_audio.drawing import drawing
from mmlm_audio.mel import LogMel
from mmlm_audio.noise import with_noise
from mmlm_audio.options import LogmelOptions
from mmlm_audio.reading import load_sound
from mmlm_audio.spec_augment import spec_augment
from mmlm_audio.speed import at_other_speed
from mmlm_core.errors import DataError
from mmlm_core.interfaces import Processor
from mmlm_core.views import PictureView, View

__all__ = ["MelProcessor"]


class MelProcessor(Processor):
    """Resamples a sound and makes its spectrogram; batches are augmented and padded.

    Args:
        options: The options.
    """

    content = ("mel",)

    def __init__(self, options: LogmelOptions) -> None:
        self.options = options
        self.log_mel = LogMel(options)

    @property
    def augments(self) -> bool:
        """Whether stripes of training sounds are hidden."""
        return self.options.augment.enabled

    def process(self, item: Any) -> dict[str, Tensor]:
        """Return one sound's spectrogram, and how many positions the encoder makes of it.

        Shape: mel [T, bands], float; positions [].

        Raises:
            DataError: It is no sound, or shorter than one window.
        """
        samples = self._samples(item)
        return self._made(self.log_mel(samples))

    def blank(self) -> dict[str, Tensor]:
        """Return one window of silence."""
        return self._made(self.log_mel(torch.zeros(self.options.window_samples)))

    def measures(self, tensors: Mapping[str, Tensor]) -> dict[str, float]:
        """Return a sound's `seconds`."""
        return {"seconds": len(tensors["mel"]) * self.options.hop_samples / self.options.sample_rate}

    def views(self, tensors: Mapping[str, Tensor]) -> list[View]:
        """Return drawings of the spectrograms as they are after augmentation, without padding."""
        lengths = tensors.get("lengths")
        mels = [mel if lengths is None else mel[: int(lengths[item])] for item, mel in enumerate(tensors["mel"])]
        return [PictureView(drawing(mel), stretches=True) for mel in mels]

    def collate(self, items: Sequence[Mapping[str, Tensor]], generator: torch.Generator | None) -> dict[str, Tensor]:
        """Pad the spectrograms with zeros to the longest, and augment them where there is a generator.

        Shape: mel [I, T, bands], float; lengths [I], left out where they are all the same.
        """
        mels = [item["mel"] for item in items]
        lengths = torch.tensor([len(mel) for mel in mels])
        mel = pad_sequence(mels, batch_first=True)
        if generator is not None and self.options.augment.enabled:
            mel, lengths = self._augmented(mel, lengths, generator)
        return {"mel": mel} if bool((lengths == mel.shape[1]).all()) else {"mel": mel, "lengths": lengths}

    def _augmented(self, mel: Tensor, lengths: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        options = self.options.augment
        if options.speed:
            mel, lengths = at_other_speed(mel, lengths, options.speed, generator)
        if options.noise:
            mel = with_noise(mel, lengths, options.noise, generator)
        return spec_augment(mel, lengths, options, generator), lengths

    def picture(self, item: Any) -> Any:
        """Return a drawing of the spectrogram, for reports."""
        return drawing(LogMel(replace(self.options, normalize=False))(self._samples(item)))

    def _samples(self, item: Any) -> Tensor:
        options = self.options
        samples = load_sound(item, options.sample_rate, options.most_seconds, options.cut)
        if len(samples) < options.window_samples:
            raise DataError(f"The sound is {1000 * len(samples) / options.sample_rate:.4g} ms long, shorter than one "
                            f"window: `window` of the sound encoder is {options.window:g} ms.")  # fmt: skip
        return torch.from_numpy(samples)

    def _made(self, mel: Tensor) -> dict[str, Tensor]:
        return {"mel": mel, "positions": torch.tensor(-(-len(mel) // self.options.subsampling))}

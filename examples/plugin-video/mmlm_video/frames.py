"""The encoder `frames`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmlm_core.errors import OptionError, UnknownChoiceError
from mmlm_core.interfaces import Encoder
from mmlm_core.options import typed
from mmlm_core.plugins import load_plugins
from mmlm_core.types import Features
from mmlm_video.options import FramesOptions, Pooling
from mmlm_video.processor import FilmProcessor

__all__ = ["Frames"]

IMAGE = "encoder/image"


class Frames(Encoder):
    """Any image encoder for each frame, the mean of its positions, and what the options say over the frames.

    Each frame is read by itself, so that what moves is known only from their order: from the time that is added to
    each (sinusoids, Vaswani et al. 2017), or by a GRU (Cho et al. 2014).

    Args:
        options: See `FramesOptions`.

    Attributes:
        width: D of the image encoder.

    Raises:
        UnknownChoiceError: No installed plugin gives the image encoder, or it has no such option.
        OptionError: It reads text too.
    """

    def __init__(self, options: FramesOptions) -> None:
        super().__init__()
        self.image = _image_encoder(options)
        self.width = self.image.width
        self.pooling = options.pooling
        self.gru = nn.GRU(self.width, self.width, batch_first=True) if options.pooling is Pooling.gru else None
        self._processor = FilmProcessor(self.image.processor(), options.frames)

    def processor(self) -> FilmProcessor:
        """Return the processor of the films."""
        return self._processor

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode films.

        Shape: the image encoder's tensors [I, F, ...], valid [I, F] -> values [I, F, D] and a mask [I, F]; or one
        position, [I, 1, D].
        """
        valid = items["valid"]
        pictures = {name: tensor.flatten(0, 1) for name, tensor in items.items() if name != "valid"}
        frames = _means(self.image(pictures)).view(*valid.shape, self.width)
        frames = frames.masked_fill(~valid.unsqueeze(-1), 0.0)
        if self.gru is not None:
            states = self.gru(frames)[0]
            last = (valid.sum(1) - 1).view(-1, 1, 1).expand(-1, 1, self.width)
            return Features(states.gather(1, last))
        if self.pooling is Pooling.mean:
            return Features(frames.sum(1, keepdim=True) / valid.sum(1).view(-1, 1, 1))
        return Features(frames + _times(valid, self.width).to(frames.dtype), valid)


def _image_encoder(options: FramesOptions) -> Encoder:
    registry, chosen = load_plugins().registry, options.image
    try:
        component = registry.get(IMAGE, chosen)
    except UnknownChoiceError as error:
        raise UnknownChoiceError(f"`encoder.video.image={chosen}`: {error}") from error
    where = "encoder.video.image_options"
    given = typed(component.options, options.image_options, where, f"`encoder.video.image={chosen}`")
    if component.traits_for(given).uses_tokenizer:
        raise OptionError(f"`encoder.video.image` must read pictures alone; `{chosen}` needs a tokenizer.")
    return component.load()(given)  # type: ignore[no-any-return]


def _means(features: Features) -> Tensor:
    """Return the mean of each picture's valid positions. Shape: values [N, T, D] -> [N, D]."""
    if features.mask is None:
        return features.values.mean(1)
    weights = features.mask.unsqueeze(-1)
    return (features.values * weights).sum(1) / weights.sum(1).clamp(min=1)


def _times(valid: Tensor, width: int) -> Tensor:
    """Return sinusoids of each frame's place in its film. Shape: [I, F] -> [F, D]."""
    places = torch.arange(valid.shape[1], device=valid.device, dtype=torch.float32).unsqueeze(-1)
    rates = torch.exp(torch.arange(0, width, 2, device=valid.device) * (-math.log(10000) / width))
    return torch.stack([(places * rates).sin(), (places * rates).cos()], -1).flatten(1)[:, :width]

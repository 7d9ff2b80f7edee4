"""Any model of timm, by its name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform
from timm.models import group_modules, group_parameters
from torch import Tensor, nn

from mmlm_core.errors import OptionError
from mmlm_core.interfaces import Encoder
from mmlm_core.media import load_measured
from mmlm_core.types import Features
from mmlm_image.options import AugmentOptions, ImageFeatures, TimmOptions
from mmlm_image.positions import fit_timm_positions
from mmlm_image.processor import PictureProcessor
from mmlm_image.timm_weights import created, fetched, read_weights

__all__ = ["Timm", "TimmProcessor"]


class TimmProcessor(PictureProcessor):
    """A model's own transform for evaluation; its last step, normalising, is done a batch at a time.

    Args:
        config: What `timm.data.resolve_data_config` says of the model.
        augment: Random changes in training.
        draft: Whether JPEG files are decoded at the smallest scale that is twice as large as what they are resized to.
    """

    def __init__(self, config: Mapping[str, Any], augment: AugmentOptions, draft: bool = False) -> None:
        super().__init__(tuple(config["input_size"][-2:]), augment, config["mean"], config["std"])
        self._transform = create_transform(**{**config, "normalize": False})
        self._mode = config["crop_mode"]
        self._resized = [math.floor(side / config["crop_pct"]) for side in self.size]
        self._draft = 2 * max(self._resized) if draft else None

    def process(self, item: Any) -> dict[str, Tensor]:
        """Return one picture's pixels, resized and cropped as the model expects; and its geometry.

        Shape: pixels [3, height, width], uint8. See `mmlm_core.geometry` for the others.
        """
        picture, extent = load_measured(item, self._draft)
        return self._made(self._transform(picture), self._box(*extent), extent)

    def _box(self, height: int, width: int) -> tuple[float, float, float, float]:
        """Return where timm's transform puts a picture: to this size, and then its middle is cut out."""
        down, across = self._resized[0] / height, self._resized[1] / width
        if self._mode != "squash":
            down = across = min(down, across) if self._mode == "border" else max(down, across)
        inner = height * down, width * across
        return (self.size[0] - inner[0]) / 2, (self.size[1] - inner[1]) / 2, *inner


class Timm(Encoder):
    """A model of timm without its classifier.

    Parameters that do not take part in the chosen features (such as layers behind the last map) are set not to require
    a gradient.

    Attributes:
        width: D.
        grid: Height and width of the last map; None where the features are not a grid.
    """

    def __init__(self, options: TimmOptions) -> None:
        super().__init__()
        self._options = options
        self._name = options.model
        self._features = options.features
        self.model = created(options)
        config = resolve_data_config({"img_size": options.size}, model=self.model)  # type: ignore[no-untyped-call]
        self._processor = TimmProcessor(config, options.augment, options.draft)
        self.grid, self.width = self._look(config["input_size"])
        self.register_load_state_dict_pre_hook(fit_timm_positions)  # type: ignore[no-untyped-call]
        self.train()

    def processor(self) -> TimmProcessor:
        """Return the processor of the pictures."""
        return self._processor

    def initialise(self) -> str:
        """Take the pretrained weights. See `Encoder.initialise`.

        Raises:
            DataError: The file is missing, no checkpoint, or of another model; or timm's hub cannot be reached.
        """
        if self._options.pretrained:
            self.model.load_state_dict(fetched(self._options).state_dict())
            return f"encoder/image: timm's weights of {self._options.model}"
        if self._options.weights is None:
            return ""
        read_weights(self.model, self._options.model, self._options.weights)
        return f"encoder/image: {self._options.model} with the weights of {self._options.weights}"

    def stages(self) -> list[list[nn.Module | nn.Parameter]]:
        """Return the modules and parameters of each stage, as timm groups them. See `Encoder.stages`."""
        matcher = self.model.group_matcher(coarse=True)
        modules, parameters = group_modules(self.model, matcher), group_parameters(self.model, matcher)
        return [
            [
                *(self.model.get_submodule(name) for name in modules.get(stage, ())),
                *(self.model.get_parameter(name) for name in parameters[stage]),
            ]
            for stage in sorted(parameters)
        ]

    def forward(self, items: Mapping[str, Tensor]) -> Features:
        """Encode pictures.

        Shape: pixels [I, 3, height, width] -> values [I, T, D].
        """
        pixels = items["pixels"]
        if self.training and len(pixels) == 1:  # batch statistics over a last map of 1 x 1 need two items
            return Features(self._values(pixels.expand(2, -1, -1, -1))[:1], grid=self.grid)
        return Features(self._values(pixels), grid=self.grid)

    def _values(self, pixels: Tensor) -> Tensor:
        return self._choose(self.model.forward_features(pixels))

    def _choose(self, features: Any) -> Tensor:
        if self._features is ImageFeatures.pooled:
            return self.model.forward_head(features, pre_logits=True).unsqueeze(1)  # type: ignore[no-any-return]
        if not isinstance(features, Tensor) or features.ndim not in (3, 4):
            raise OptionError(
                f"`features` must be `pooled` for `{self._name}`, which has no single map or sequence, "
                f"not `{self._features}`."
            )
        if features.ndim == 4:
            return features.flatten(1, 2) if _channels_last(self.model) else features.flatten(2).transpose(1, 2)
        return features[:, _prefix(self.model) :] if self._features is ImageFeatures.grid else features

    def _look(self, input_size: tuple[int, int, int]) -> tuple[tuple[int, int] | None, int]:
        """Run one gray picture, which tells the grid, the width, and the parameters that take part."""
        self.model.eval()
        try:
            with torch.enable_grad():
                features = self.model.forward_features(torch.zeros(1, *input_size))
                values = self._choose(features)
        except (RuntimeError, AssertionError, ValueError) as error:
            raise OptionError(f"`size` must fit `{self._name}`, which {input_size[-1]} does not: {error}") from error
        used = _used(values)
        for parameter in self.model.parameters():
            if parameter not in used:
                parameter.requires_grad_(False)
        return self._grid(features), values.shape[-1]

    def _grid(self, features: Any) -> tuple[int, int] | None:
        if self._features is ImageFeatures.pooled:
            return None
        if features.ndim == 4:
            height, width = features.shape[1:3] if _channels_last(self.model) else features.shape[2:4]
            return height, width
        prefix = _prefix(self.model)
        if prefix and self._features is ImageFeatures.tokens:
            return None
        places = features.shape[1] - prefix
        known = getattr(getattr(self.model, "patch_embed", None), "grid_size", None)
        if known is not None and math.prod(known) == places:
            return int(known[0]), int(known[1])
        side = math.isqrt(places)
        if side * side == places:
            return side, side
        if self._features is ImageFeatures.tokens:
            return None
        raise OptionError(
            f"`features` must be `tokens` or `pooled` for `{self._name}`, whose {places} positions are no square, "
            f"not `grid`."
        )


def _channels_last(model: nn.Module) -> bool:
    return str(getattr(model, "output_fmt", "NCHW")) == "NHWC"


def _prefix(model: nn.Module) -> int:
    """Return how many tokens (class, distillation, registers) stand before those of the places."""
    return int(getattr(model, "num_prefix_tokens", 0))


def _used(output: Tensor) -> set[nn.Parameter]:
    """Return the parameters that the output depends on, by walking its graph."""
    found: set[nn.Parameter] = set()
    seen = set()
    open_nodes = [output.grad_fn]
    while open_nodes:
        node = open_nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.add(node.variable)
        open_nodes.extend(following for following, _ in node.next_functions)
    return found

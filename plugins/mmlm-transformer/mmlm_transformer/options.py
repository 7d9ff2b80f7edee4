"""The options of the Transformer. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mmlm_core.errors import OptionError
from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range

__all__ = ["Activation", "Norm", "Positions", "TransformerOptions"]


class Positions(StrEnum):
    """How a layer knows where a vector stands."""

    rotary = "rotary"
    learned = "learned"
    sinusoidal = "sinusoidal"
    none = "none"


class Activation(StrEnum):
    """What stands between the two maps of a feed-forward layer."""

    swiglu = "swiglu"
    gelu = "gelu"


class Norm(StrEnum):
    """How vectors are normalised before each sublayer and at the end."""

    rmsnorm = "rmsnorm"
    layernorm = "layernorm"


@dataclass
class TransformerOptions:
    """A Transformer, pre-norm, causal or bidirectional as the head asks."""

    width: int = 256
    """Width of the vectors between the layers."""
    depth: int = 4
    """Layers."""
    heads: int = 4
    """Attention heads; they divide `width`."""
    kv_heads: int | None = None
    """Heads of keys and values (grouped-query attention); they divide `heads`. None: as many as `heads`."""
    positions: Positions = Positions.rotary
    """`rotary` (turns queries and keys), `learned` or `sinusoidal` (added to the input), or `none`."""
    max_positions: int = 1024
    """Positions that `learned` knows; a longer sequence is an error. The other choices have no limit."""
    rotary_base: float = 10000.0
    """Base of the rotary angles: the higher, the farther apart two positions can be told."""
    activation: Activation = Activation.swiglu
    """`swiglu` (gated, three maps) or `gelu` (two maps)."""
    expansion: float | None = None
    """Width of the feed-forward layers over `width`; None: 4 for `gelu`, about 8/3 (a round width) for `swiglu`."""
    norm: Norm = Norm.layernorm
    """`layernorm` (one fused operation on a CPU) or `rmsnorm` (fused on a GPU only)."""
    bias: bool = False
    """Whether linear maps and `layernorm` have biases."""
    dropout: float = 0.0
    """Share of values dropped in training, of the input and of what each sublayer adds."""

    def __post_init__(self) -> None:
        """Check the choices, the ranges and what divides what."""
        check_choices(self)
        for name in ("width", "depth", "heads", "kv_heads", "max_positions"):
            check_range(self, name, 1)
        check_range(self, "rotary_base", 1)
        check_range(self, "expansion", 0.01)
        check_range(self, "dropout", 0, 0.99)
        if self.width % self.heads:
            raise OptionError(f"`heads` must divide `width`, {self.width}; {self.heads} does not.")
        if self.kv_heads is not None and self.heads % self.kv_heads:
            raise OptionError(f"`kv_heads` must divide `heads`, {self.heads}; {self.kv_heads} does not.")
        if self.positions is Positions.rotary and self.width // self.heads % 2:
            raise OptionError(
                f"`positions=rotary` turns pairs of values, so `width / heads` must be even, "
                f"not {self.width} / {self.heads} = {self.width // self.heads}."
            )

    @property
    def hidden_width(self) -> int:
        """Width of the feed-forward layers."""
        if self.expansion is not None:
            return max(1, round(self.expansion * self.width))
        if self.activation is Activation.gelu:
            return 4 * self.width
        multiple = 64 if self.width >= 128 else 8  # whole tiles of a matrix product
        return -(-8 * self.width // (3 * multiple)) * multiple

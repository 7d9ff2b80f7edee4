"""The backbone `mamba`."""

from __future__ import annotations

import logging
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import Mamba2Config
from transformers.models.mamba2.modeling_mamba2 import Mamba2Mixer

from mmlm_core.interfaces import Backbone, Between, State
from mmlm_core.types import Features
from mmlm_mamba.options import MambaOptions
from mmlm_mamba.state import LayerMemory, MambaState

__all__ = ["Mamba"]

# It tells that no kernels are installed, for each of them, in every process; the plugin's README says so once.
logging.getLogger("transformers.integrations.hub_kernels").setLevel(logging.ERROR)


class Mamba(Backbone):
    """Layers of Mamba-2 (Dao & Gu 2024), each normalised before and added to its input.

    What is read with a state must not be followed by padding, which would be remembered: rows of different length are
    read apart. So are packed documents.

    Args:
        options: The options.
        causal: It reads forwards, so it must be True.
    """

    def __init__(self, options: MambaOptions, *, causal: bool) -> None:
        super().__init__()
        if not causal:
            raise ValueError("Mamba reads forwards: build it with `causal=True`.")
        self.width, self.depth = options.width, options.depth
        self.config = Mamba2Config(
            vocab_size=1,  # there is no table, and no token of its own
            pad_token_id=None,
            bos_token_id=None,
            eos_token_id=None,
            hidden_size=options.width,
            num_hidden_layers=options.depth,
            num_heads=options.expand * options.width // options.head_width,
            head_dim=options.head_width,
            expand=options.expand,
            state_size=options.state,
            conv_kernel=options.kernel,
            chunk_size=options.chunk,
            n_groups=1,
        )
        self.layers = nn.ModuleList(_mixer(self.config, layer) for layer in range(options.depth))
        self.norms = nn.ModuleList(nn.RMSNorm(options.width, eps=1e-5) for _ in range(options.depth))
        self.final = nn.RMSNorm(options.width, eps=1e-5)
        self.dropout = nn.Dropout(options.dropout)

    def start(self, rows: int, capacity: int, device: torch.device, dtype: torch.dtype) -> MambaState:
        """Return a state of zeros; its size does not depend on the capacity."""
        del capacity
        config = self.config
        channels = config.expand * self.width + 2 * config.state_size
        inputs = torch.zeros(self.depth, rows, channels, config.conv_kernel, device=device, dtype=dtype)
        shape = (self.depth, rows, config.num_heads, config.head_dim, config.state_size)
        return MambaState(inputs, torch.zeros(shape, device=device, dtype=torch.float32))

    def forward(self, sequence: Features, between: Between | None = None, state: State | None = None) -> Tensor:
        """Read a sequence, and read on where there is a state.

        Shape: values [B, T, D] -> [B, T, D].
        """
        if state is not None and not isinstance(state, MambaState):
            raise TypeError(f"The state must be one that `start` returned, not {type(state).__name__}.")
        if sequence.documents is not None and state is not None:
            raise ValueError("Packed documents cannot be read with a state: generate for each document in a row.")
        hidden = sequence.values
        if hidden.shape[1] == 0:
            return hidden
        for number in range(self.depth):
            hidden = hidden + self.dropout(self._layer(number, self.norms[number](hidden), sequence, state))
            if between is not None:
                hidden = between(number, hidden)
        return self.final(hidden)  # type: ignore[no-any-return]

    def _layer(self, number: int, hidden: Tensor, sequence: Features, state: MambaState | None) -> Tensor:
        layer = self.layers[number]
        if sequence.documents is not None:
            return _documents_apart(layer, hidden, sequence.documents)
        if state is None:
            return layer(hidden)  # type: ignore[no-any-return]
        if sequence.mask is None or bool(sequence.mask.all()):
            return layer(hidden, cache_params=LayerMemory(state, number))  # type: ignore[no-any-return]
        lengths = sequence.mask.sum(1)
        read = torch.zeros_like(hidden)
        for length in set(lengths.tolist()) - {0}:
            rows = (lengths == length).nonzero().squeeze(1)
            part = MambaState(state.inputs[number : number + 1, rows], state.spaces[number : number + 1, rows])
            read[rows, :length] = layer(hidden[rows, :length], cache_params=LayerMemory(part, 0)).to(read.dtype)
            state.inputs[number, rows], state.spaces[number, rows] = part.inputs[0], part.spaces[0]
        return read


def _mixer(config: Mamba2Config, number: int) -> nn.Module:
    """Return a layer, whose maps begin as those of the authors' models do."""
    mixer = Mamba2Mixer(config, number)
    nn.init.normal_(mixer.in_proj.weight, std=0.02)
    nn.init.normal_(mixer.out_proj.weight, std=0.02 / config.num_hidden_layers**0.5)
    return mixer


def _documents_apart(layer: nn.Module, hidden: Tensor, documents: Tensor) -> Tensor:
    """Return what a layer makes of each run of one document's positions alone; padding may be one. Shape: [B, T, D]."""
    rows, time, width = hidden.shape
    begins = torch.ones_like(documents, dtype=torch.bool)
    begins[:, 1:] = documents[:, 1:] != documents[:, :-1]
    starts = [*begins.flatten().nonzero().squeeze(1).tolist(), rows * time]
    sizes = [end - start for start, end in pairwise(starts)]
    read = layer(pad_sequence(list(torch.split(hidden.reshape(-1, width), sizes)), batch_first=True))
    return torch.cat([part[:size] for part, size in zip(read, sizes, strict=True)]).view(rows, time, width)

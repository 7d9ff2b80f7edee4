"""The LSTM backbone."""

from __future__ import annotations

import torch
from torch import nn

from mmlm_recurrent.options import LstmOptions
from mmlm_recurrent.recurrent import RecurrentBackbone

__all__ = ["LstmBackbone"]


class LstmBackbone(RecurrentBackbone):
    """Layers of `torch.nn.LSTM`, whose forget gates begin open (Jozefowicz et al. 2015).

    Args:
        options: The options.
        causal: Whether a position may see only itself and those before it.
    """

    def __init__(self, options: LstmOptions, *, causal: bool) -> None:
        super().__init__(options, nn.LSTM, causal=causal)
        for layer in self.layers:
            for name, parameter in layer.named_parameters():
                if name.startswith("bias_ih"):
                    gate = len(parameter) // 4  # the gates stand in the order input, forget, cell, output
                    with torch.no_grad():
                        parameter[gate : 2 * gate].fill_(1.0)

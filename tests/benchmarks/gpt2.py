"""GPT-2 of `transformers` and the same model composed of our parts, with the same weights."""

from dataclasses import replace

import torch
from transformers import GPT2LMHeadModel

from mmlm_core.model import Model
from mmlm_core.testing.contracts.common import Characters
from mmlm_core.types import QUERIES
from mmlm_fusion.concat import Concat
from mmlm_fusion.options import ConcatOptions
from mmlm_writing.language_modeling import LanguageModeling
from mmlm_writing.options import LanguageModelingOptions
from tests.benchmarks.bench_transformer_block import pair


class Codes(Characters):
    """A tokenizer of `vocabulary` ids whose end lies outside of it, so that no text ends early."""

    pad, begin, end, unknown, mask = 0, 1, -1, 2, 3

    def __init__(self, vocabulary: int) -> None:
        self.vocabulary = vocabulary


def peer_and_ours(vocabulary: int, width: int, depth: int, heads: int, positions: int) -> tuple[GPT2LMHeadModel, Model]:
    """Return the peer and our model, both in evaluation mode."""
    ours, peer = pair(vocabulary, width, depth, heads, positions, bias=True)
    torch.manual_seed(0)
    head = LanguageModeling(
        replace(LanguageModelingOptions(), context=positions),
        width=width, modalities=(), facts={}, tokenizer=Codes(vocabulary), table=ours.table,
    )  # fmt: skip
    fusion = Concat(ConcatOptions(), width=width, depth=depth, modalities=(), reads=(QUERIES,))
    return peer.eval(), Model({}, {}, fusion, ours.backbone, head).eval()

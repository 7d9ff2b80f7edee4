"""The Transformer's layers against `transformers`' GPT-2 of the same shape and weights: training, and cached steps.

C2's and C3's shapes without the rest of either framework: the same bare training loop, and a bare greedy loop against
`generate`. Both sides compute the same losses and write the same tokens, which is said beside each ratio.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.activations import ACT2FN

from mmlm_core.tokens import TokenTable
from mmlm_core.types import Features
from mmlm_transformer.options import TransformerOptions
from mmlm_transformer.transformer import Transformer
from tests.benchmarks.common import cores, line, ratio, seconds

THREADS = int(os.environ.get("OMP_NUM_THREADS", cores()))
LEAN = {"activation": "gelu", "norm": "layernorm", "positions": "learned"}


class Ours(nn.Module):
    """A GPT of our backbone and nothing else."""

    def __init__(self, vocabulary: int, **options: object) -> None:
        super().__init__()
        self.table = TokenTable(vocabulary, options["width"])
        self.backbone = Transformer(TransformerOptions(**options), causal=True)

    def forward(self, ids: Tensor, state: object = None) -> Tensor:
        return self.table.logits(self.backbone(Features(self.table(ids)), state=state))

    @torch.inference_mode()
    def generate(self, ids: Tensor, count: int) -> Tensor:
        state = self.backbone.start(len(ids), ids.shape[1] + count, ids.device, torch.float32)
        read, written = ids, []
        for _ in range(count):
            hidden = self.backbone(Features(self.table(read)), state=state)[:, -1:]
            read = self.table.logits(hidden).argmax(-1)
            written.append(read)
        return torch.cat(written, 1)


def pair(
    vocabulary: int, width: int, depth: int, heads: int, positions: int, bias: bool
) -> tuple[Ours, GPT2LMHeadModel]:
    """Return our model and `transformers`' with the same weights."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=vocabulary, n_embd=width, n_layer=depth, n_head=heads, n_positions=positions, resid_pdrop=0,
        embd_pdrop=0, attn_pdrop=0, activation_function="gelu", bos_token_id=0, eos_token_id=None,
    )  # fmt: skip
    theirs = GPT2LMHeadModel(config)
    ours = Ours(vocabulary, width=width, depth=depth, heads=heads, max_positions=positions, bias=bias, **LEAN)
    copies = [(ours.table.embedding, theirs.transformer.wte), (ours.backbone.position_table, theirs.transformer.wpe),
              (ours.backbone.final_norm, theirs.transformer.ln_f)]  # fmt: skip
    with torch.no_grad():
        for block, peer in zip(ours.backbone.blocks, theirs.transformer.h, strict=True):
            copies += [(block.attention_norm, peer.ln_1), (block.feed_forward_norm, peer.ln_2)]
            for mine, its in ((block.qkv, peer.attn.c_attn), (block.attention_out, peer.attn.c_proj),
                              (block.up, peer.mlp.c_fc), (block.down, peer.mlp.c_proj)):  # fmt: skip
                mine.weight.copy_(its.weight.t())
        for mine, its in copies:
            mine.weight.copy_(its.weight)
    return ours, theirs


def train(activation: str, note: str, batch: int = 8, time: int = 256, steps: int = 2) -> None:
    ours, theirs = pair(65, 384, 6, 6, time, bias=False)
    for block in theirs.transformer.h:
        block.mlp.act = ACT2FN[activation]
    ids = torch.randint(0, 65, (batch, time + 1), generator=torch.Generator().manual_seed(1))

    def trainer(model: nn.Module, logits: Callable[[Tensor], Tensor], losses: list[float]) -> Callable[[], None]:
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

        def run() -> None:
            for _ in range(steps):
                loss = functional.cross_entropy(logits(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())

        return run

    mine: list[float] = []
    its: list[float] = []
    run, peer = trainer(ours, ours, mine), trainer(theirs, lambda x: theirs(x).logits, its)
    figures = ratio(lambda: seconds(run), lambda: seconds(peer))
    gap = max(abs(a - b) for a, b in zip(mine, its, strict=True))  # the peer has biases, which begin at 0, and we none
    line(f"training, {note}, losses within {gap:.0e}", figures, "1.15 with the Trainer")


def write(tokens: int = 96) -> None:
    ours, theirs = pair(8192, 384, 6, 6, 256, bias=True)
    print(f"{sum(p.numel() for p in ours.parameters()) / 1e6:.2f}M parameters")
    ours.eval()
    theirs.eval()
    for rows, goal in ((1, "1.0"), (8, "1.1")):
        ids = torch.randint(0, 8192, (rows, 16), generator=torch.Generator().manual_seed(1))

        def peer(ids: Tensor = ids) -> Tensor:
            return theirs.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False, pad_token_id=0
            )

        equal = ours.generate(ids, tokens).equal(peer()[:, 16:])
        figures = ratio(lambda ids=ids: seconds(lambda: ours.generate(ids, tokens)), lambda: seconds(peer))
        line(f"greedy steps, batch {rows}, tokens {'equal' if equal else 'DIFFER'}", figures, goal)


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(THREADS)
    print(f"{THREADS} threads")
    write()
    train("gelu", "exact gelu on both sides")
    train("gelu_new", "GPT-2's own gelu on its side")


if __name__ == "__main__":
    main()

"""C6: an image captioner of 9.5M parameters, a training step, against `VisionEncoderDecoderModel` in a bare loop.

Both are a ViT whose last layer's positions a decoder of words attends to after each of its layers: pictures of 64 pixels
in patches of 8, captions of 16 tokens out of 8192. The same step on both sides: loss, gradients, clipping, AdamW.
"""

import torch
from transformers import GPT2Config, GPT2LMHeadModel, VisionEncoderDecoderModel, ViTConfig, ViTModel

from mmlm_core import machine
from mmlm_core.build import build
from mmlm_core.composition import Composition
from mmlm_core.model import Model
from mmlm_core.plugins import load_plugins
from mmlm_core.testing.contracts.common import Characters
from mmlm_core.types import Batch, Items
from tests.benchmarks.common import cores, line, ratio, seconds

PIXELS, PATCH, WIDTH, DEPTH, HEADS, VOCABULARY, TOKENS, ROWS, STEPS = 64, 8, 256, 4, 4, 8192, 16, 32, 3


class Codes(Characters):
    """A tokenizer of so many ids."""

    vocabulary = VOCABULARY


def peer() -> VisionEncoderDecoderModel:
    shape = {"resid_pdrop": 0, "embd_pdrop": 0, "attn_pdrop": 0}
    encoder = ViTConfig(
        hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=HEADS, intermediate_size=4 * WIDTH,
        image_size=PIXELS, patch_size=PATCH, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    decoder = GPT2Config(
        vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=DEPTH, n_head=HEADS, n_positions=64, add_cross_attention=True,
        bos_token_id=1, eos_token_id=2, **shape,
    )  # fmt: skip
    model = VisionEncoderDecoderModel(
        encoder=ViTModel(encoder, add_pooling_layer=False), decoder=GPT2LMHeadModel(decoder)
    )
    model.config.decoder_start_token_id, model.config.pad_token_id = 1, 0
    return model.train()


def ours() -> Model:
    mapping = {
        "data": {"name": "table", "path": "none.csv", "inputs": {"image": "image"}, "target": "caption"},
        "tokenizer": {"name": "byte"},
        "encoder": {"image": {
            "name": "vit", "size": PIXELS, "patch": PATCH, "width": WIDTH, "depth": DEPTH, "heads": HEADS, "ratio": 4.0,
            "dropout": 0.0,
        }},
        "projection": {"image": {"name": "linear"}},
        "fusion": {"name": "cross_attention", "heads": HEADS},
        "backbone": {"name": "transformer", "width": WIDTH, "depth": DEPTH, "heads": HEADS, "activation": "gelu"},
        "head": {"name": "captioning"},
        "optimizer": {"name": "adamw"},
        "schedule": {"name": "constant"},
    }  # fmt: skip
    return build(Composition.from_mapping(load_plugins().registry, mapping), tokenizer=Codes()).train()


def main() -> None:
    torch.set_num_threads(cores())
    torch.manual_seed(0)
    theirs, mine = peer(), ours()
    for name, model in (("ours", mine), ("theirs", theirs)):
        print(f"{name}: {sum(p.numel() for p in model.parameters()) / 1e6:.2f}M parameters")
    pictures = torch.rand(ROWS, 3, PIXELS, PIXELS)
    ids = torch.randint(5, VOCABULARY, (ROWS, TOKENS + 1))
    ids[:, 0] = 1
    labels = ids[:, 1:].contiguous()
    batch = Batch(
        ROWS,
        {"image": Items({"pixels": pictures})},
        {"ids": ids[:, :-1], "labels": labels, "lengths": torch.full((ROWS,), TOKENS)},
    )

    def loop(model: torch.nn.Module, loss: object, bf16: bool) -> float:
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

        def run() -> None:
            for _ in range(STEPS):
                with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                    value = loss()
                value.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()

        return seconds(run)

    def its() -> torch.Tensor:
        return theirs(pixel_values=pictures, labels=labels).loss

    def own() -> torch.Tensor:
        return mine.loss(batch).mean

    precisions = [(False, False, "float32 on both sides", "1.1")]
    if machine.computes_bf16():
        precisions += [(True, True, "bf16 on both sides", "1.1"), (True, False, "our defaults against float32", "1.5")]
    for mine_bf16, its_bf16, name, goal in precisions:
        figures = ratio(lambda: loop(mine, own, mine_bf16), lambda: loop(theirs, its, its_bf16), rounds=3)  # noqa: B023
        line(f"captioner, {name}", figures, goal)


if __name__ == "__main__":
    main()

"""C3, C4: generation of a 14M Transformer against `transformers`' `generate`, the same weights on both sides.

Greedy with a cache, in float32 and in int8, and four beams. The peer is GPT-2 of the same shape; its weights are copied
into ours, so that both write the same tokens. The weights are random, so that many tokens are about as likely: int8's
equal tokens are counted on prefixes of float32's texts, since two texts that once differ have nothing more in common.
"""

from copy import deepcopy

import torch
from transformers import GPT2LMHeadModel

from mmlm_core import generation
from mmlm_core.model import Model
from mmlm_core.settings import DecodingOptions
from mmlm_core.types import QUERIES, Batch
from tests.benchmarks.common import cores, device, line, machine, ratio, seconds
from tests.benchmarks.gpt2 import peer_and_ours

NEW_TOKENS = 96


def main() -> None:
    torch.set_num_threads(cores())
    peer, model = peer_and_ours(vocabulary=8192, width=384, depth=6, heads=6, positions=256)
    peer.to(device())
    model.to(device())
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f}M parameters, {machine()}")
    for rows, goal in ((1, "1.0"), (8, "1.1")):
        batch, prompt = prompts(rows)
        options = DecodingOptions(max_tokens=NEW_TOKENS)

        def ours(batch: Batch = batch, options: DecodingOptions = options) -> list[list[int]]:
            return [row.ids for row in generation.generate(model, batch, options)]

        def theirs(prompt: torch.Tensor = prompt) -> list[list[int]]:
            out = peer.generate(
                prompt, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, do_sample=False,
                attention_mask=torch.ones_like(prompt), pad_token_id=0,
            )  # fmt: skip
            return out[:, prompt.shape[1] :].tolist()

        equal = ours() == theirs()
        figures = ratio(lambda: seconds(ours), lambda: seconds(theirs), rounds=3 if device() == "cuda" else 5)
        line(f"greedy generation, batch {rows}, tokens {'equal' if equal else 'DIFFER'}", figures, goal)

    if device() == "cpu":
        int8(model)
    beams(peer, model)


def int8(model: Model) -> None:
    """Greedy generation in int8 beside the same in float32, which stands for the peer (see above)."""
    rounded = generation.to_int8(deepcopy(model))
    for rows, goal in ((1, "2.0"), (8, "2.5")):
        batch, _ = prompts(rows)
        options = DecodingOptions(max_tokens=NEW_TOKENS)
        said = torch.tensor([row.ids for row in generation.generate(model, batch, options)])
        whole = torch.cat([batch.targets["prompt"], said], 1)
        with torch.inference_mode():
            exact, near = (each.head.logits(each(read(whole))[QUERIES].values[:, 15:-1]) for each in (model, rounded))
        equal = (exact.argmax(-1) == near.argmax(-1)).float().mean()
        figures = ratio(
            lambda: seconds(lambda: generation.generate(rounded, batch, options)),  # noqa: B023
            lambda: seconds(lambda: generation.generate(model, batch, options)),  # noqa: B023
        )
        line(f"int8 over float32, batch {rows}, {equal:.1%} equal tokens (goal 99 %)", figures, goal)


def beams(peer: GPT2LMHeadModel, model: Model) -> None:
    """Four beams."""
    for rows in (1, 8):
        batch, prompt = prompts(rows)
        options = DecodingOptions(max_tokens=48, beams=4)

        def ours(batch: Batch = batch, options: DecodingOptions = options) -> list[list[int]]:
            return [row.ids for row in generation.generate(model, batch, options)]

        def theirs(prompt: torch.Tensor = prompt) -> list[list[int]]:
            out = peer.generate(
                prompt, max_new_tokens=48, do_sample=False, num_beams=4, attention_mask=torch.ones_like(prompt),
                pad_token_id=0,
            )  # fmt: skip
            return out[:, prompt.shape[1] :].tolist()

        equal = ours() == theirs()
        figures = ratio(lambda: seconds(ours), lambda: seconds(theirs), rounds=3)
        line(f"4 beams, batch {rows}, sequences {'equal' if equal else 'DIFFER'}", figures, "1.3")


def prompts(rows: int) -> tuple[Batch, torch.Tensor]:
    """Return random prompts of 16 tokens, as a batch of ours and as ids."""
    prompt = torch.randint(0, 8000, (rows, 16), generator=torch.Generator().manual_seed(1))
    batch = Batch(rows, {}, {"prompt": prompt, "prompt_lengths": torch.full((rows,), 16)})
    return batch.to(device()), prompt.to(device())


def read(ids: torch.Tensor) -> Batch:
    """Return ids as a batch that the model reads in one pass."""
    return Batch(len(ids), {}, {"ids": ids})


if __name__ == "__main__":
    main()

"""C3: cached greedy generation of a 14M Transformer in float32 against `transformers`' `generate`, the same weights.

The peer is GPT-2 of the same shape; its weights are copied into ours, so that both write the same tokens.
"""

import torch

from mmlm_core import generation
from mmlm_core.settings import DecodingOptions
from mmlm_core.types import Batch
from tests.benchmarks.common import cores, line, ratio, seconds
from tests.benchmarks.gpt2 import peer_and_ours

NEW_TOKENS = 96


def main() -> None:
    torch.set_num_threads(cores())
    peer, model = peer_and_ours(vocabulary=8192, width=384, depth=6, heads=6, positions=256)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f}M parameters, {cores()} cores")
    for rows, goal in ((1, "1.0"), (8, "1.1")):
        prompt = torch.randint(0, 8000, (rows, 16), generator=torch.Generator().manual_seed(1))
        batch = Batch(rows, {}, {"prompt": prompt, "prompt_lengths": torch.full((rows,), 16)})
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
        figures = ratio(lambda: seconds(ours), lambda: seconds(theirs))
        line(f"greedy generation, batch {rows}, tokens {'equal' if equal else 'DIFFER'}", figures, goal)


if __name__ == "__main__":
    main()

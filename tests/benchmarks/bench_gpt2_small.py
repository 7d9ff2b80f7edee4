"""G1, G4: a GPT of 124M (GPT-2's shape) on a GPU: trained at 1024 tokens in bf16, compiled and not; greedy decoding.

The rows are random words of a vocabulary of GPT-2's size. Left out where there is no GPU.
"""

import json
import random
import tempfile
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from mmlm_core import generation
from mmlm_core.settings import DecodingOptions
from mmlm_core.types import Batch
from tests.benchmarks.common import device, machine, seconds
from tests.benchmarks.gpt2 import peer_and_ours
from tests.benchmarks.trainings import seconds_a_step

CONTEXT, ROWS, STEPS, SKIP, EPOCH = 1024, 32, 28, 15, 14  # measured is what comes after the first epoch
VOCABULARY, WIDTH, DEPTH, HEADS = 50304, 768, 12, 12
FLOP_A_TOKEN = 0.859e9
"""6 N + 12 L H Q T."""
PEAK = 989e12
"""Dense bf16 operations a second of an H100 SXM or an H200, by their data sheets."""
NEW_TOKENS = 256
SHAPE = [
    f"backbone.width={WIDTH}", f"backbone.depth={DEPTH}", f"backbone.heads={HEADS}", "backbone.positions=learned",
    f"backbone.max_positions={CONTEXT + 1}", "backbone.activation=gelu", "backbone.norm=layernorm", "backbone.bias=false",
]  # fmt: skip


def write_data(folder: Path) -> None:
    """Write a tokenizer of single words, and rows of them."""
    words = {"<unk>": 0} | {f"w{number}": number for number in range(1, VOCABULARY - 8)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    drawn, known = random.Random(0), list(words)[1:]
    lines = [json.dumps({"text": " ".join(drawn.choices(known, k=CONTEXT - 1))}) for _ in range(ROWS * EPOCH)]
    (folder / "rows.jsonl").write_text("\n".join(lines))


def train(compiled: bool) -> None:
    """Print how fast a training is."""
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder))
        overrides = [
            "data=table", "data.target=text", f"data.path={folder}/rows.jsonl", "data.validation_fraction=0",
            "data.test_fraction=0", "tokenizer=file", f"tokenizer.path={folder}/tokenizer.json", "head=language_modeling",
            f"head.context={CONTEXT}", "backbone=transformer", *SHAPE, f"loader.batch_size={ROWS}", "trainer.max_epochs=50",
            "trainer.precision=bf16", f"trainer.compile={compiled}",
        ]  # fmt: skip
        speed = ROWS * CONTEXT / seconds_a_step(overrides, STEPS, SKIP)
    gib = torch.cuda.max_memory_allocated() / 2**30
    torch.cuda.reset_peak_memory_stats()
    what = f"training in bf16{', compiled' if compiled else ''}"
    print(f"{what:32} {speed:10,.0f} tokens/s, {speed * FLOP_A_TOKEN / PEAK:.1%} of peak (goal 45 %), {gib:.0f} GiB")


def write(dtype: torch.dtype) -> None:
    """Print how fast one text is written."""
    model = peer_and_ours(VOCABULARY, WIDTH, DEPTH, HEADS, CONTEXT)[1].to(device(), dtype)
    prompt = {"prompt": torch.arange(16).unsqueeze(0), "prompt_lengths": torch.tensor([16])}
    batch, options = Batch(1, {}, prompt).to(device()), DecodingOptions(max_tokens=NEW_TOKENS)
    times = sorted(seconds(lambda: generation.generate(model, batch, options)) for _ in range(4))
    print(f"greedy decoding in {dtype}, batch 1: {NEW_TOKENS / times[1]:,.0f} tokens/s (goal 1000)", flush=True)


def main() -> None:
    if device() == "cpu":
        print("There is no GPU.")
        return
    print(machine())
    write(torch.float32)
    write(torch.bfloat16)
    train(compiled=False)
    train(compiled=True)


if __name__ == "__main__":
    main()

"""C2: a GPT of 10.65M parameters trained through the whole of mmlm, against `transformers`' GPT-2 with its Trainer.

Both train on rows of 256 bytes of the embedded prose, with AdamW and clipping; the time is that of a step, by torch's own
hook on the optimizer.
"""

import json
import tempfile
from itertools import cycle, islice
from pathlib import Path

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from mmlm_core.settings import Precision, TrainerOptions
from mmlm_core.training.assembly import choose_precision
from tests.benchmarks.common import Steps, cores, device, line, ratio
from tests.benchmarks.common import machine as machine_name
from tests.benchmarks.trainings import seconds_a_step

CONTEXT = 256
ROWS, STEPS, SKIP, EPOCH = (64, 78, 45, 40) if device() == "cuda" else (8, 12, 5, 12)
"""Rows of a batch, updates, those that are not measured, and those of an epoch: on a GPU a step takes less time than the
preparation of its rows, which the peer has behind it and ours in the first epoch; on a CPU it takes none beside it."""
OURS = [
    "data=table", "data.target=text", "tokenizer=byte", "head=language_modeling", f"head.context={CONTEXT}",
    "backbone=transformer", "backbone.width=384", "backbone.depth=6", "backbone.heads=6", "backbone.positions=learned",
    "backbone.activation=gelu", "backbone.norm=layernorm", "backbone.bias=false",
    f"loader.batch_size={ROWS}", "trainer.max_epochs=50",
]  # fmt: skip


def texts() -> list[str]:
    """Return real text in pieces of as many bytes as a row has labels, less the end."""
    from mmlm_samples.options import ProseOptions
    from mmlm_samples.prose import ProseSource

    whole = " ".join(row.target for row in ProseSource(ProseOptions()).read("train")).encode("ascii", "ignore").decode()
    cut = [whole[i : i + CONTEXT - 1] for i in range(0, len(whole) - CONTEXT, CONTEXT - 1)]
    return list(islice(cycle(cut), ROWS * EPOCH))


def ours(precision: str) -> float:
    """Return our tokens a second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.jsonl")
        path.write_text("\n".join(json.dumps({"text": text}) for text in texts()))
        return (
            ROWS * CONTEXT / seconds_a_step([*OURS, f"data.path={path}", f"trainer.precision={precision}"], STEPS, SKIP)
        )


def theirs(bf16: bool) -> float:
    """Return the tokens a second of `transformers`' Trainer."""
    config = GPT2Config(
        vocab_size=261, n_positions=CONTEXT, n_embd=384, n_layer=6, n_head=6, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    torch.manual_seed(0)
    encoded = [torch.tensor([1, *(byte + 5 for byte in text.encode())]) for text in texts()]
    rows = [{"input_ids": row, "labels": row} for row in encoded]
    times = Steps(STEPS, SKIP)
    handle = register_optimizer_step_post_hook(times)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, per_device_train_batch_size=ROWS, max_steps=STEPS, bf16=bf16, use_cpu=device() == "cpu", report_to=[],
            logging_steps=1000, save_strategy="no", disable_tqdm=True, optim="adamw_torch", max_grad_norm=1.0,
        )  # fmt: skip
        try:
            Trainer(GPT2LMHeadModel(config), arguments, train_dataset=rows).train()
        finally:
            handle.remove()
    return ROWS * CONTEXT / times.typical()


def main() -> None:
    torch.set_num_threads(cores())
    native = choose_precision(TrainerOptions()) is Precision.BF16
    print(f"{machine_name()}; bf16 is {'' if native else 'not '}native here; {ROWS} rows of {CONTEXT} tokens a step")
    same = ratio(lambda: 1 / ours("fp32"), lambda: 1 / theirs(bf16=False), rounds=7)
    line("GPT 10.65M, tokens/s in float32, against transformers' Trainer", same, "1.15")
    if device() == "cuda":
        low = ratio(lambda: 1 / ours("bf16"), lambda: 1 / theirs(bf16=True), rounds=3)
        line("the same in bf16 on both sides", low, "1.15")
        return
    defaults = ratio(lambda: 1 / ours("auto"), lambda: 1 / theirs(bf16=False), rounds=3)
    line("the same with our defaults (precision=auto)", defaults, "1.8 where bf16 is native")


if __name__ == "__main__":
    main()

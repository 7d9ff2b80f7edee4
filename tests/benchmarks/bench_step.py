"""C5: a step of a composed model through mmlm, through plain Lightning, and in a bare loop: the same model and batches."""

import itertools
import logging
import tempfile

import torch
from lightning.pytorch import LightningModule, Trainer
from torch.optim.optimizer import register_optimizer_step_post_hook

from mmlm_core.data import make_loaders
from mmlm_core.preparation import Preparation
from mmlm_core.training.quiet import quiet
from tests.benchmarks.common import Steps, device, line, ratio
from tests.benchmarks.trainings import prepared, seconds_a_step

STEPS, SKIP = 120, 20
QUARTILE = 0.25
"""Of the steps: what the machine does beside them lengthens only the others."""
TOY = [
    "data=spam", "tokenizer=char", "encoder/text=embedding", "encoder.text.max_tokens=24", "fusion=concat",
    "backbone=gru", "backbone.width=32", "backbone.depth=1", "head=classification", "loader.batch_size=16",
    "trainer.max_epochs=50",
]  # fmt: skip


class Plain(LightningModule):
    """The same model, with nothing around it."""

    def __init__(self, made: Preparation) -> None:
        super().__init__()
        self.model = made.model
        self.made = made

    def transfer_batch_to_device(self, batch: object, device: torch.device, dataloader_idx: int) -> object:
        return batch.to(device, non_blocking=True)

    def training_step(self, batch: object, index: int) -> torch.Tensor:
        return self.model.loss(batch).mean

    def configure_optimizers(self) -> torch.optim.Optimizer:
        choice = self.made.composition["optimizer"]
        return choice.component.load()(choice.options).build(self.model)


def loader(made: Preparation) -> object:
    rows = {"train": made.source.read("train")}
    return make_loaders(
        rows, made.model.processors(), made.model.head.target_processor(), made.composition.settings.loader, 1,
        pin=device() == "cuda",
    )["train"]  # fmt: skip


def lightning() -> float:
    made, times = prepared(TOY), Steps(STEPS, SKIP)
    handle = register_optimizer_step_post_hook(times)
    with tempfile.TemporaryDirectory() as folder, quiet():
        trainer = Trainer(
            max_steps=STEPS, accelerator=device(), logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, gradient_clip_val=1.0, default_root_dir=folder, use_distributed_sampler=False,
        )  # fmt: skip
        trainer.fit(Plain(made), loader(made))
    handle.remove()
    return times.typical(QUARTILE)


def bare() -> float:
    made, times = prepared(TOY), Steps(STEPS, SKIP)
    made.model.to(device())
    optimizer, batches = Plain(made).configure_optimizers(), loader(made)
    for _, batch in zip(range(STEPS), itertools.chain.from_iterable(itertools.repeat(batches)), strict=False):
        made.model.loss(batch.to(device(), non_blocking=True)).mean.backward()
        torch.nn.utils.clip_grad_norm_(made.model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        times()
    return times.typical(QUARTILE)


def main() -> None:
    logging.getLogger("mmlm_text").setLevel(logging.ERROR)  # the toy cuts every mail, in every round
    torch.set_num_threads(1)

    def ours() -> float:
        return seconds_a_step([*TOY, "trainer.threads=1", "trainer.precision=fp32"], STEPS, SKIP, QUARTILE)

    over_lightning = ratio(lightning, ours, rounds=3 if device() == "cuda" else 9)
    line("a step of mmlm over plain Lightning (below 1: mmlm is faster)", over_lightning, "at most 1.02")
    line("a step of mmlm over a bare loop", ratio(bare, ours, 3 if device() == "cuda" else 5), "printed")


if __name__ == "__main__":
    main()

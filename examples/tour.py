"""A tour of mmlm from Python: compose, look, train for some seconds, load, caption a picture.

Run it with `python examples/tour.py`; it writes into a temporary folder.
"""

import sys
import tempfile

import mmlm_core


def main(folder: str) -> None:
    """Train a tiny captioner on a few emoji, and let it speak."""
    # Composition needs no torch: parts are chosen and checked by name, as on the command line.
    composition = mmlm_core.compose(
        [
            "data=emoji", "data.limit=64", "tokenizer=char",
            "encoder/image=cnn", "fusion=cross_attention", "backbone=gru", "backbone.width=64", "head=captioning",
            "trainer.max_steps=20", "trainer.progress=false", "tracker.wandb=off", f"run.folder={folder}",
        ]
    )  # fmt: skip
    for slot, choice in composition.choices.items():
        sys.stdout.write(f"{slot:18} {choice.component.name:16} {choice.component.doc}\n")

    run = mmlm_core.train(composition)

    # A run folder stands for itself: two lines give a model that predicts.
    model = mmlm_core.load(run)
    rows = model.composition["data"].make().read("test")
    picture = rows[0].inputs["image"][0]
    sys.stdout.write(f"reference:  {rows[0].target}\nprediction: {model.generate(image=picture)}\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(temporary)

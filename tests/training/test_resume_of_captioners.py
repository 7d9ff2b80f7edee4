"""Exact resume of real captioners: pictures with augmentation, dropout, recurrent and attention backbones."""

from pathlib import Path

import pytest
import torch

from mmlm_core.composition import Composition
from mmlm_core.plugins import load_plugins

for module in ("mmlm_samples", "mmlm_image", "mmlm_writing", "mmlm_text", "mmlm_fusion", "mmlm_optim"):
    pytest.importorskip(module)


class PowerCut(BaseException):
    """Ends a training at once."""


def captioner(plugins, folder: Path, name: str, backbone: str, fusion: str) -> Composition:
    registry = plugins.registry
    chosen = {"data": ("emoji", {"limit": 40}), "tokenizer": ("word", {}), "fusion": (fusion, {}),
              "backbone": (backbone, {"width": 16, "dropout": 0.2}), "head": ("captioning", {"max_tokens": 12, "truncate": True}),
              "optimizer": ("adamw", {}), "schedule": ("cosine", {})}  # fmt: skip
    mapping = {
        slot: {"name": component, **dict(registry.get(slot, component).tiny), **options}
        for slot, (component, options) in chosen.items()
    }
    mapping["encoder"] = {"image": {"name": "cnn", **dict(registry.get("encoder/image", "cnn").tiny)}}
    mapping["projection"] = {"image": {"name": "linear"}}
    mapping |= {"run": {"folder": str(folder), "name": name}, "loader": {"batch_size": 8}, "tracker": {"wandb": "off"}}
    mapping["decoding"] = {"max_tokens": 4}
    mapping["trainer"] = {"max_epochs": 2, "precision": "fp32", "threads": 1, "accelerator": "cpu", "progress": False,
                          "checkpoint_every_steps": 2, "average_decay": 0.9, "validate_rows": 8}  # fmt: skip
    return Composition.from_mapping(registry, mapping)


@pytest.mark.parametrize(("backbone", "fusion"), [("gru", "concat"), ("transformer", "cross_attention")])
def test_a_captioner_cut_in_mid_epoch_and_resumed_ends_with_the_same_bytes(tmp_path, monkeypatch, backbone, fusion):
    from mmlm_core.training import resume, train
    from mmlm_core.training.conductor import Conductor

    plugins = load_plugins()
    whole = train(captioner(plugins, tmp_path, "whole", backbone, fusion), plugins)
    original = Conductor.on_train_batch_end

    def end(self, trainer, *rest):
        original(self, trainer, *rest)
        if trainer.global_step == 8:
            raise PowerCut

    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(Conductor, "on_train_batch_end", end)
        train(captioner(plugins, tmp_path, "cut", backbone, fusion), plugins)
    torch.manual_seed(99)
    cut = resume(tmp_path / "cut", plugins)
    assert (cut / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert (cut / "predictions.jsonl").read_bytes() == (whole / "predictions.jsonl").read_bytes()

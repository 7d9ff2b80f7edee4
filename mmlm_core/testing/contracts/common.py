"""What every component keeps, and the small things that the contracts of the kinds are tried with."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from mmlm_core.interfaces import (
    Backbone,
    DataSource,
    Encoder,
    Fusion,
    Head,
    Optimizer,
    Projection,
    Schedule,
    Tokenizer,
)  # fmt: skip
from mmlm_core.options import option_docs, typed
from mmlm_core.registry import Component
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Features

__all__ = ["TEXTS", "Characters", "ComponentContract", "features", "missing_gradients", "pictures", "same"]

TEXTS = ["a red apple", "cat", "我爱吃苹果", "two cats and a dog, running", "Ünïcode — «quoted»"]

INTERFACES = {
    "tokenizer": Tokenizer, "encoder": Encoder, "projection": Projection, "fusion": Fusion, "backbone": Backbone,
    "head": Head, "data": DataSource, "optimizer": Optimizer, "schedule": Schedule,
}  # fmt: skip


class ComponentContract:
    """What every component keeps, whatever its kind."""

    plugin: str
    component: Component
    extra: dict[str, Any]
    given_items: dict[str, list[Any]]
    given_targets: list[Any]

    @property
    def options(self) -> Any:
        """The component's options at their smallest."""
        return typed(self.component.options, {**self.component.tiny, **self.extra}, self.component.kind, "`tiny`")

    def make(self, **wired: Any) -> Any:
        """Return the component, built under a seed, with a tokenizer and a table where it uses them."""
        torch.manual_seed(0)
        if self.component.traits_for(self.options).uses_tokenizer and "table" not in wired:
            width = wired.get("width", 16)
            wired |= {"tokenizer": Characters(), "table": TokenTable(Characters().vocabulary, width)}
        return self.component.load()(self.options, **wired)

    def test_its_declaration_imports_no_torch(self) -> None:
        """Listing, help and composition must stay fast."""
        code = f"import sys, {self.plugin}; sys.exit('torch' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"`{self.plugin}` imports torch: name classes by import path. {done.stderr}"

    def test_its_class_implements_its_kind(self) -> None:
        """The target is a class of the kind's interface, without abstract methods left."""
        found = self.component.load()
        interface = INTERFACES[self.component.kind.partition("/")[0]]
        assert issubclass(found, interface), f"`{self.component.target}` must extend {interface.__name__}."
        missing = sorted(getattr(found, "__abstractmethods__", ()))
        assert not missing, f"`{self.component.target}` does not implement {', '.join(missing)}."

    def test_its_options_survive_yaml(self) -> None:
        """What a run's record holds gives the same options again."""
        node = OmegaConf.structured(self.options)
        again = OmegaConf.create(OmegaConf.to_yaml(node))
        assert OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(self.component.options), again)) == self.options

    def test_its_options_have_defaults_and_docs(self) -> None:
        """Every option can be left out, and says what it is."""
        assert self.component.doc, f"`{self.component.kind}={self.component.name}` has no doc."
        docs = option_docs(self.component.options)
        silent = [f.name for f in fields(self.component.options) if not docs[f.name]]
        assert not silent, f"options without a doc string below them: {', '.join(silent)}"

    def test_its_options_pickle(self) -> None:
        """Launchers send them to other processes."""
        assert pickle.loads(pickle.dumps(self.options)) == self.options


class Characters(Tokenizer):
    """A tokenizer of the code points below 127 (others are unknown), with nothing to train; for contracts only."""

    vocabulary = 132
    pad, begin, end, unknown, mask = 127, 128, 129, 130, 131

    def encode(self, item: Any) -> list[int]:
        """Return code points."""
        return [ord(character) if ord(character) < 127 else self.unknown for character in item]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the characters."""
        return "".join(chr(code) for code in ids if code < 127)

    def train(self, corpus: Any) -> None:
        """Do nothing."""

    def save(self, folder: Path) -> None:
        """Do nothing."""

    def load(self, folder: Path) -> None:
        """Do nothing."""


def pictures() -> list[bytes]:
    """Return PNG files of three sizes and contents, made by code."""
    from PIL import Image

    made = []
    for index, size in enumerate([(32, 32), (48, 40), (33, 64)]):
        picture = Image.linear_gradient("L").resize(size).rotate(90 * index)
        picture = Image.merge("RGB", (picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), picture))
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        made.append(buffer.getvalue())
    return made


def features(rows: int, length: int, width: int, lengths: Sequence[int] | None = None, seed: int = 0) -> Features:
    """Return random features; with `lengths`, a mask of as many valid positions in each row, padding behind."""
    values = torch.randn(rows, length, width, generator=torch.Generator().manual_seed(seed))
    if lengths is None:
        return Features(values)
    return Features(values, torch.arange(length) < torch.tensor(lengths).unsqueeze(1))


def same(left: Tensor, right: Tensor) -> bool:
    """Whether two results agree to the rounding of float32."""
    return torch.allclose(left, right, rtol=1e-4, atol=1e-5)


def missing_gradients(module: nn.Module, loss: Tensor) -> list[str]:
    """Return the parameters that a loss sends no gradient to."""
    module.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    return [name for name, parameter in module.named_parameters() if parameter.requires_grad and parameter.grad is None]

"""What every component keeps, whatever its kind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

import pytest
import torch
import yaml  # type: ignore[import-untyped]
from omegaconf import OmegaConf

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
from mmlm_core.options import option_docs, plain, typed
from mmlm_core.registry import Component
from mmlm_core.testing.contracts.checks import by_pickle, difference, first_line, same
from mmlm_core.testing.contracts.fresh import FreshProcess
from mmlm_core.testing.contracts.materials import TEXTS, Characters, features, pictures
from mmlm_core.tokens import TokenTable
from mmlm_core.vocabulary import extended

__all__ = ["TEXTS", "Characters", "ComponentContract", "features", "pictures", "same"]

INTERFACES = {
    "tokenizer": Tokenizer, "encoder": Encoder, "projection": Projection, "fusion": Fusion, "backbone": Backbone,
    "head": Head, "data": DataSource, "optimizer": Optimizer, "schedule": Schedule,
}  # fmt: skip

YAML_HOLDS = (
    "YAML and the command line hold int, float, bool, str, bytes, Path, Enum, a dataclass of such, Any, and Optional, "
    "unions, lists and dicts of these. Take an Enum for a choice of words (not Literal), a list for a tuple or a set, "
    "a name for a function, and a dataclass that is not frozen"
)

DECLARE = """
import os, sys, traceback

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            frames = [f for f in traceback.extract_stack()[:-1] if not f.filename.startswith("<frozen")]
            print(f"{frames[-1].filename}, line {frames[-1].lineno}", flush=True)
            os._exit(3)

sys.meta_path.insert(0, Watch())
import importlib
for component in importlib.import_module(sys.argv[1]).mmlm_components():
    component.traits_for(component.options())
"""
"""Declares a plugin's components, and ends with 3 and the place of the import where that imports torch."""


class ComponentContract:
    """What every component keeps, whatever its kind."""

    plugin: str
    component: Component
    extra: dict[str, Any]
    given_items: dict[str, list[Any]]
    given_targets: list[Any]
    fresh: FreshProcess

    @pytest.fixture(autouse=True)
    def one_thread(self) -> Iterator[None]:
        """Run on one thread: several cost more than they give on small things, and much more on a busy machine."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        yield
        torch.set_num_threads(threads)

    @classmethod
    def key(cls) -> str:
        """Return the component's kind and name, as a command line chooses it."""
        return f"{cls.component.kind}={cls.component.name}"

    @property
    def called(self) -> str:
        """What messages call the component."""
        return f"`{self.key()}`"

    @property
    def options(self) -> Any:
        """The component's options at their smallest."""
        return typed(self.component.options, {**self.component.tiny, **self.extra}, self.component.kind, "`tiny`")

    def make(self, *, seed: int = 0, **wired: Any) -> Any:
        """Return the component, built under a seed, with a tokenizer and a table where it uses them."""
        torch.manual_seed(seed)
        if self.component.traits_for(self.options).uses_tokenizer and "table" not in wired:
            tokenizer = extended(Characters(), self.component.traits_for(self.options).special_tokens)
            wired |= {"tokenizer": tokenizer, "table": TokenTable(tokenizer.vocabulary, wired.get("width", 16))}
        return self.component.load()(self.options, **wired)

    def made(self) -> Any:
        """Return what the component makes under a seed, as plain values and tensors, to compare between processes."""
        raise NotImplementedError

    def test_its_declaration_imports_no_torch(self) -> None:
        """Listing, help and composition must stay fast."""
        code, said = _declare(self.plugin, tuple(sys.path))
        assert code != 3, (
            f"`{self.plugin}` imports torch when it is declared, at {said}: every command would wait for it. Name the "
            'class by its import path (target="package.module:Class"), and import torch in that module alone.'
        )
        assert code == 0, f"`{self.plugin}` cannot be declared in a fresh process: {said}"

    def test_its_class_implements_its_kind(self) -> None:
        """The target is a class of the kind's interface, without abstract methods left."""
        found = self.component.load()
        interface = INTERFACES[self.component.kind.partition("/")[0]]
        assert issubclass(found, interface), f"`{self.component.target}` must extend {interface.__name__}."
        missing = sorted(getattr(found, "__abstractmethods__", ()))
        assert not missing, f"`{self.component.target}` does not implement {', '.join(missing)}."

    def test_its_options_survive_yaml(self) -> None:
        """What the command line composes, and what a run's record holds, gives the same options again."""
        for options in (self.component.options(), self.options):
            try:
                node = OmegaConf.structured(options)
                again = OmegaConf.create(OmegaConf.to_yaml(node))
                for option in fields(options):  # as a command line sets them
                    OmegaConf.update(node, option.name, OmegaConf.select(again, option.name))
                back = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(self.component.options), again))
            except Exception as error:
                key = getattr(error, "full_key", "")
                where = f"`{key}`: " if key else ""
                raise AssertionError(
                    f"{self.called} has options that YAML cannot hold: {where}{first_line(error)}. {YAML_HOLDS}."
                ) from error
            record = yaml.safe_load(yaml.safe_dump(plain(options), allow_unicode=True))
            for found in (back, typed(self.component.options, record, self.component.kind, "its own record")):
                changed = [f.name for f in fields(options) if getattr(options, f.name) != getattr(found, f.name)]
                assert not changed, (
                    f"{self.called} has options that YAML cannot hold: `{changed[0]}` is "
                    f"{getattr(options, changed[0])!r} and comes back as {getattr(found, changed[0])!r}. {YAML_HOLDS}."
                )

    def test_its_options_have_defaults_and_docs(self) -> None:
        """Every option can be left out, and says what it is."""
        assert self.component.doc, f"{self.called} has no doc: write one into the options' docstring."
        docs = option_docs(self.component.options)
        silent = [f.name for f in fields(self.component.options) if not docs[f.name]]
        assert not silent, f"{self.called} has options without a doc string below them: {_listed(silent)}."

    def test_its_options_pickle(self) -> None:
        """Launchers send them to other processes."""
        copied = by_pickle(self.options, f"The options dataclass of {self.called}")
        assert copied == self.options, (
            f"The options of {self.called} are others after pickling: {difference(self.options, copied)}. "
            "Leave pickling and comparing to the dataclass."
        )

    def test_a_fresh_process_makes_the_same(self) -> None:
        """Under one seed, what a component makes does not depend on the process that it is made in."""
        able, there = self.fresh.made[self.key()]
        assert able, f"{self.called} works here and fails in a fresh process: {there}"
        where = difference(self.made(), there)
        assert where is None, (
            f"{self.called} makes {where} differently in another process under the same seed. The order of a set and "
            "`hash` of a text change from process to process: sort, or keep a list or dict. Draw from torch's "
            "generator alone, and not from the clock, the process or the environment."
        )


@cache
def _declare(plugin: str, path: tuple[str, ...]) -> tuple[int, str]:
    """Return how declaring a plugin ends in a fresh process, and the last line that it says."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", DECLARE, plugin], check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
    )  # fmt: skip
    said = (done.stdout if done.returncode == 3 else done.stderr).strip().splitlines()
    return done.returncode, said[-1] if said else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)

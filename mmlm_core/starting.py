"""Starts a training from another run: its tokenizer, and the weights of the parts that both have by the same name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmlm_core.boxes import parts_of, short
from mmlm_core.build import build
from mmlm_core.composition import Composition
from mmlm_core.errors import RunError
from mmlm_core.interfaces import Tokenizer
from mmlm_core.model import Model
from mmlm_core.options import plain
from mmlm_core.run_reader import RunRecord, read_run
from mmlm_core.tokens import TokenTable
from mmlm_core.vocabulary import make_tokenizer
from mmlm_core.weights import load_weights

__all__ = ["Start", "read_start"]

TABLE = "token table"


def read_start(composition: Composition) -> Start | None:
    """Return the run that a composition starts from, or None where `run.init` names none.

    Raises:
        RunError: It cannot be read, or has another tokenizer.
    """
    path = composition.settings.run.init
    return None if path is None else Start(read_run(Path(path)), composition)


class Start:
    """A run that another composition starts from.

    A part is taken over where both compositions have the same component in its slot; of a head, where it also knows the
    same of its targets; of a fusion, what it has for inputs that both read. The token table is a part of its own. All
    else begins anew.

    Args:
        record: The run.
        composition: What starts from it.

    Raises:
        RunError: Both use a tokenizer, and not the same.
    """

    def __init__(self, record: RunRecord, composition: Composition) -> None:
        self.record = record
        self._composition = composition
        if self.gives_tokenizer:
            faults = [*self._other_options("tokenizer")]
            theirs, ours = (each["tokenizer"].component.name for each in (record.composition, composition))
            if theirs != ours:
                faults = [f"`tokenizer={theirs}` there and `tokenizer={ours}` here"]
            if faults:
                self._refuse(["its weights are those of its own tokens: choose the same tokenizer", *faults])

    @property
    def gives_tokenizer(self) -> bool:
        """Whether the run's tokenizer is that of the composition."""
        return self.record.composition.uses_tokenizer and self._composition.uses_tokenizer

    def hand_over(self, model: Model, tokenizer: Tokenizer | None, facts: Mapping[str, Any]) -> str:
        """Copy the run's weights into a model, and return a line that says what it got, and what begins anew.

        Args:
            model: Of the composition.
            tokenizer: The run's, as the model uses it.
            facts: What the model's head knows of its targets.

        Raises:
            RunError: Parts of the same name have weights of different shapes, or there are no such parts.
        """
        before = self.record.composition
        old_tokenizer = make_tokenizer(before)
        if old_tokenizer is not None:
            old_tokenizer.load(self.record.tokenizer_folder)
        old = build(before, tokenizer=old_tokenizer, facts=self.record.facts)
        load_weights(old, self.record.weights, self.record.edits())
        theirs, ours = parts_of(old), parts_of(model)
        shared = [slot for slot in ours if slot in theirs and self._is_shared(slot, facts)]
        faults = [fault for slot in shared for fault in self._misfits(slot, theirs[slot], ours[slot])]
        if faults:
            self._refuse(["weights of the same part differ in shape", *faults])
        fitted = [f"`{name}` of `{slot}`" for slot in shared for name in _differing(theirs[slot], ours[slot])]
        sizes = {slot: _copy(theirs[slot], ours[slot]) for slot in shared}
        taken = sum(sizes.values())
        named = [slot for slot in shared if sizes[slot]]
        of, to = _table(old), _table(model)
        if of is not None and to is not None and old_tokenizer is not None and tokenizer is not None:
            taken += self._copy_vectors(of, to, old_tokenizer, tokenizer)
            named.insert(0, TABLE)
        if not named:
            self._refuse(["no part of it has the name of a part of this composition"])
        new = [f"{slot}={self._composition[slot].component.name}" for slot in ours
               if slot not in named and _size(ours[slot])]  # fmt: skip
        begins = f"; new: {', '.join(new)}" if new else ""
        begins += f"; fitted to its shape here: {', '.join(fitted)}" if fitted else ""
        return f"starts from {self.record.folder.path}: {', '.join(named)} ({short(taken)} parameters){begins}"

    def _is_shared(self, slot: str, facts: Mapping[str, Any]) -> bool:
        before = self.record.composition.choices.get(slot)
        same = before is not None and before.component.name == self._composition[slot].component.name
        return same and (slot != "head" or dict(self.record.facts) == dict(facts))

    def _misfits(self, slot: str, theirs: nn.Module, ours: nn.Module) -> Iterator[str]:
        """Yield what keeps the weights of a part from being those of another."""
        old, new = _own_state(theirs), _own_state(ours)
        other_inputs = self.record.composition.modalities() != self._composition.modalities()
        names = old.keys() & new.keys() if slot == "fusion" and other_inputs else old.keys() | new.keys()
        for name in sorted(names):
            shapes = [list(state[name].shape) if name in state else "missing" for state in (old, new)]
            if shapes[0] != shapes[1] and ("missing" in shapes or not _takes(ours, name, old[name])):
                options = " and ".join(self._other_options(slot))
                told = f" ({options})" if options else ""
                yield f"`{name}` of `{slot}` is {shapes[0]} there and {shapes[1]} here{told}"
                return  # what follows has the same cause

    def _other_options(self, slot: str) -> Iterator[str]:
        """Yield the options of a slot that differ, as `backbone.width` is 128 there and 64 here."""
        old, new = (plain(each[slot].options) for each in (self.record.composition, self._composition))
        path = slot.replace("/", ".")
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                yield f"`{path}.{name}` is {old.get(name)} there and {new.get(name)} here"

    def _copy_vectors(self, old: TokenTable, new: TokenTable, before: Tokenizer, now: Tokenizer) -> int:
        """Copy the vectors of the tokens that both have, and return how many numbers these are."""
        if old.width != new.width:
            options = " and ".join(self._other_options("backbone"))
            self._refuse(["weights of the same part differ in shape",
                          f"the {TABLE} has vectors of {old.width} there and {new.width} here"
                          + (f" ({options})" if options else "")])  # fmt: skip
        names = self._composition.special_tokens, self.record.composition.special_tokens
        plain_ids = now.vocabulary - len(names[0])
        both = [name for name in names[0] if name in names[1]]
        to = [*range(plain_ids), *(now.special(name) for name in both)]
        of = [*range(plain_ids), *(before.special(name) for name in both)]
        with torch.no_grad():
            new.embedding.weight[to] = old.embedding.weight[of]
        return len(to) * new.width

    def _refuse(self, reasons: list[str]) -> None:
        told = ": ".join([reasons[0], "; ".join(reasons[1:])]) if len(reasons) > 1 else reasons[0]
        raise RunError(f"`run.init={self.record.folder.path}` does not fit this composition: {told}.")


def _copy(of: nn.Module, to: nn.Module) -> int:
    """Copy the weights that both parts have, but the token table's, and return how many numbers these are."""
    theirs, ours = _own_state(of), _own_state(to)
    shared = {name: theirs[name] for name in ours if name in theirs}
    to.load_state_dict(shared, strict=False)
    return sum(value.numel() for value in shared.values())


def _differing(of: nn.Module, to: nn.Module) -> list[str]:
    """Return the names of the weights that both parts have, in different shapes."""
    theirs, ours = _own_state(of), _own_state(to)
    return [name for name in ours if name in theirs and theirs[name].shape != ours[name].shape]


def _takes(part: nn.Module, name: str, value: Tensor) -> bool:
    """Whether a part fits a weight of another shape to its own, as positions to another size of pictures."""
    try:
        deepcopy(part).load_state_dict({name: value}, strict=False)
    except RuntimeError:
        return False
    return True


def _table(model: Model) -> TokenTable | None:
    return next((part for part in model.modules() if isinstance(part, TokenTable)), None)


def _table_state(part: nn.Module) -> dict[str, Tensor]:
    """Return the state of the token table where a part holds it, under the part's own names."""
    places = tuple(f"{name}." for name, module in part.named_modules() if isinstance(module, TokenTable))
    return {name: value for name, value in part.state_dict().items() if name.startswith(places)}


def _own_state(part: nn.Module) -> dict[str, Tensor]:
    """Return the state of a part without the token table's."""
    table = _table_state(part)
    return {name: value for name, value in part.state_dict().items() if name not in table}


def _size(part: nn.Module) -> int:
    return sum(value.numel() for value in _own_state(part).values())

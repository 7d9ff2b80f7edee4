"""Checks a composition from what its components declare: needs on one side, provisions on the other. No torch."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mmlm_core.composition import Choice, Composition, kind_of, slots
from mmlm_core.errors import CompositionError, one_of
from mmlm_core.registry import ALL, Need, Registry

__all__ = ["REQUIRED", "Misfit", "check", "misfits", "pair"]

REQUIRED = ("data", "fusion", "backbone", "head", "optimizer", "schedule")
"""The slots that every composition fills; `tokenizer` and the encoders are asked for by who needs them."""


SHOWN = 20
"""Columns that a message lists at most."""


@dataclass(frozen=True)
class Misfit:
    """One reason why a composition is refused.

    Attributes:
        slot: The slot whose component is not served.
        reason: The whole sentence.
        fitting: Names that would fit in the slot that the need is about, as `backbone=gru`.
    """

    slot: str
    reason: str
    fitting: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the reason with the choices that would fit."""
        return f"{self.reason}{one_of(self.fitting).replace('Choices', 'These fit') if self.fitting else ''}"


def check(composition: Composition, registry: Registry) -> None:
    """Raise where the parts do not fit.

    Raises:
        CompositionError: With every misfit, one a line, and the choices that would fit.
    """
    found = misfits(composition, registry)
    if found:
        lines = "\n".join(f"  - {misfit}" for misfit in found)
        raise CompositionError(f"This composition does not fit together:\n{lines}")


def misfits(composition: Composition, registry: Registry) -> list[Misfit]:
    """Return every reason why the composition cannot be built; an empty list where it can."""
    return [*_empty_slots(composition, registry), *_unmet_needs(composition, registry),
            *_unread_inputs(composition, registry)]  # fmt: skip


def pair(one: Choice, other: Choice, registry: Registry) -> list[str]:
    """Return every reason why two choices do not fit together, whatever else is chosen; empty where they do.

    Args:
        one: A choice.
        other: A choice for another slot.
        registry: The components.
    """
    both = Composition({one.slot: one, other.slot: other})
    return [
        *(_sentence(asking, need, both)
          for asking, asked in ((one, other), (other, one)) for need in asking.traits.needs
          if _concerns(need, asked.slot, registry) and not _is_met(need, both)),
        *(misfit.reason for misfit in _unread_inputs(both, registry)),
    ]  # fmt: skip


def _concerns(need: Need, slot: str, registry: Registry) -> bool:
    """Whether the choice of a slot alone decides if the need is met: not where another modality's could meet it."""
    if slot == need.of:
        return True
    if need.count is not None:
        return False  # how many there are shows in the whole composition alone
    return slot.startswith(f"{need.of}/") and (need.every or len(registry.modalities()) == 1)


def _empty_slots(composition: Composition, registry: Registry) -> Iterator[Misfit]:
    for slot in REQUIRED:
        if slot not in composition.choices:
            names = registry.names(kind_of(slot))
            told = "" if names else ", and no installed plugin gives one"
            yield Misfit(slot, f"`{slot}` is not chosen{told}.", _settings(slot, names))
    for modality in composition.modalities():
        if f"projection/{modality}" not in composition.choices:
            yield Misfit(
                f"projection/{modality}",
                f"`projection/{modality}` is not chosen, so the features of `{modality}` do not reach the backbone.",
                _settings(f"projection/{modality}", registry.names("projection")),
            )


def _unmet_needs(composition: Composition, registry: Registry) -> Iterator[Misfit]:
    for choice in composition.choices.values():
        traits = choice.traits
        needs = list(traits.needs)
        if traits.uses_tokenizer and "tokenizer" not in composition.choices:
            needs.append(Need("tokenizer", "reads or writes text"))
        for need in needs:
            told_already = need.of in REQUIRED and need.of not in composition.choices
            if not told_already and not _is_met(need, composition):
                yield _unmet(choice, need, registry, composition)


def _unmet(choice: Choice, need: Need, registry: Registry, composition: Composition) -> Misfit:
    """Return the misfit of a need, with the choices that would meet it together with the other parts."""
    reason, fitting = _sentence(choice, need, composition), _fitting(need, registry, composition)
    data = composition.choices.get("data")
    if data is None or need.absent:
        return Misfit(choice.slot, reason, fitting)
    name = f"`data={data.component.name}`"
    if need.of == "data" and not data.traits.has_target and getattr(data.options, "target", "") is None:
        return Misfit(choice.slot, f"{reason} For {name}, name the column: `{_file(data)}data.target=COLUMN`."
                                   f"{_columns(data)}")  # fmt: skip
    starved = {slot.partition("/")[2] for slot in slots(registry) if _concerned(slot, need, composition)}
    if need.of.partition("/")[0] == "encoder" and starved and not fitting:
        mapped = hasattr(data.options, "inputs")
        way = ": map a column, as `data.inputs.MODALITY=COLUMN`, or choose other data." if mapped else "."
        reason = f"{reason.removesuffix('.')}, and {name} gives {_told(_given(data))}{way}"
        fitting = _settings("data", _feeding(starved, registry, composition))
    return Misfit(choice.slot, reason, fitting)


def _is_met(need: Need, composition: Composition) -> bool:
    chosen = [
        choice for choice in composition.of_kind(need.of) if not (need.unread and _is_read(choice.slot, composition))
    ]
    serving = [choice for choice in chosen if not need.has or need.has & choice.traits.provides]
    if need.absent:
        return not serving
    if need.count is not None:
        return len(serving) == need.count
    return bool(serving) and (not need.every or len(serving) == len(chosen))


def _is_read(slot: str, composition: Composition) -> bool:
    """Whether the head reads the positions of an encoder's modality."""
    reads = composition.choices["head"].traits.reads if "head" in composition.choices else frozenset()
    return reads == ALL or slot.partition("/")[2] in reads


def _sentence(choice: Choice, need: Need, composition: Composition) -> str:
    asked = f" that provides {' or '.join(f'`{word}`' for word in sorted(need.has))}" if need.has else ""
    article = "every" if need.every else "an" if need.of[0] in "aeiou" else "a"
    verb = "goes with no" if need.absent else f"needs {article}"
    many = ""
    if need.count is not None:
        verb, many = f"needs exactly {need.count} of", f" and has {sum(1 for _ in composition.of_kind(need.of))}"
    if need.unread and "head" in composition.choices:
        head = composition["head"]
        if head.traits.reads:
            names = " and ".join(f"`{name}`" for name in sorted(head.traits.reads))
            read = "every input" if head.traits.reads == ALL else names
            asked += f" of an input that the head does not read itself, and `head={head.component.name}` reads {read}"
        elif need.absent:
            asked += f" of an input that the head does not read itself, and `head={head.component.name}` reads none"
    return f"`{choice.slot}={choice.component.name}` {need.because}: it {verb} `{need.of}`{asked}{many}."


def _fitting(need: Need, registry: Registry, composition: Composition) -> tuple[str, ...]:
    """Return the choices that meet a need; of encoders those that the chosen data feeds, of data what feeds those."""
    fitting: list[str] = []
    if need.absent and need.of == "encoder":
        return ()  # the way out is another part: the reason names it
    read = set(composition.modalities())
    for slot in slots(registry):
        if _concerned(slot, need, composition) and (need.absent or _may_be_fed(slot, composition)):
            serving = [each for each in _defaults(slot, registry) if _could_serve(each, need)]
            if slot == "data":
                serving = [each for each in serving if read <= _given(each)] or serving
            fitting += _settings(slot, [each.component.name for each in serving])
    return tuple(fitting)


def _concerned(slot: str, need: Need, composition: Composition) -> bool:
    """Whether a choice in a slot can meet a need."""
    return (slot == need.of or slot.startswith(f"{need.of}/")) and not (need.unread and _is_read(slot, composition))


def _may_be_fed(slot: str, composition: Composition) -> bool:
    """Whether the chosen data gives what an encoder in a slot reads, or may still: a file that is not named yet."""
    data = composition.choices.get("data")
    if data is None or not slot.startswith("encoder/"):
        return True
    return slot.partition("/")[2] in _given(data) or (_has_no_file(data) and not _given(data))


def _has_no_file(data: Choice) -> bool:
    """Whether data reads a file that nobody has named yet, so that nothing is known of its columns."""
    return not getattr(data.options, "path", True)


def _file(data: Choice) -> str:
    return "data.path=FILE " if _has_no_file(data) else ""


def _columns(data: Choice) -> str:
    """Return which columns the file of data has, where it was looked at."""
    names = getattr(data.options, "seen_columns", ())
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f" Its columns: {shown}{more}." if names else ""


def _feeding(modalities: Collection[str], registry: Registry, composition: Composition) -> list[str]:
    """Return the data that gives one of some modalities, and whatever the other parts need of data."""
    needs = [need for choice in composition.choices.values() for need in choice.traits.needs if need.of == "data"]
    return [each.component.name for each in _defaults("data", registry)
            if _given(each) & set(modalities) and all(_could_serve(each, need) for need in needs)]  # fmt: skip


def _defaults(slot: str, registry: Registry) -> list[Choice]:
    """Return every choice of a slot, as it is by default."""
    components = (registry.get(kind_of(slot), name) for name in registry.names(kind_of(slot)))
    return [Choice(slot, component, component.options()) for component in components]


def _given(data: Choice) -> set[str]:
    """Return the modalities that data gives."""
    return {word.partition(":")[2] for word in data.traits.provides if word.startswith("input:")}


def _told(modalities: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(modalities)) if modalities else "no inputs"


def _could_serve(choice: Choice, need: Need) -> bool:
    """Whether a choice provides what is needed."""
    return not need.has or bool(need.has & choice.traits.provides) != need.absent


def _unread_inputs(composition: Composition, registry: Registry) -> Iterator[Misfit]:
    """Yield the modalities that an encoder reads and the data does not give."""
    if "data" not in composition.choices:
        return
    data = composition["data"]
    given = _given(data)
    for modality in composition.modalities():
        if modality not in given:
            mapped = hasattr(data.options, "inputs")
            column = f"`{_file(data)}data.inputs.{modality}=COLUMN`"
            way = f"map a column, as {column}" if mapped else "choose other data"
            columns = _columns(data) if mapped else ""
            yield Misfit(
                f"encoder/{modality}",
                f"`encoder/{modality}={composition[f'encoder/{modality}'].component.name}` reads `{modality}`, which "
                f"`data={data.component.name}` does not give (it gives {_told(given)}): {way}, or leave the modality "
                f"out with `encoder/{modality}=none`.{columns}",
                () if mapped else _settings("data", _feeding([modality], registry, composition)),
            )


def _settings(slot: str, names: list[str]) -> tuple[str, ...]:
    return tuple(f"{slot}={name}" for name in names)

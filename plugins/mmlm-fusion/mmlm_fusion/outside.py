"""What the fusions that act between the layers share: which inputs leave the sequence, and after which layers."""

from __future__ import annotations

from collections.abc import Sequence

from mmlm_core.errors import CompositionError, OptionError, did_you_mean, one_of

__all__ = ["check_heads", "check_inputs", "chosen_layers", "outside"]


def outside(
    fusion: str, deed: str, keep: Sequence[str], modalities: Sequence[str], reads: Sequence[str]
) -> tuple[str, ...]:
    """Return the inputs that leave the sequence: all but those that the head reads and those that `keep` names.

    Args:
        fusion: The fusion's name.
        deed: What it does with them, as `attend to`.
        keep: Its option.
        modalities: Names of the inputs.
        reads: Segments that the head reads.

    Raises:
        OptionError: `keep` names no input.
        CompositionError: Every input stays.
    """
    check_inputs("keep", keep, modalities)
    left = tuple(name for name in modalities if name not in {*keep, *reads})
    if not left:
        raise CompositionError(
            f"`fusion={fusion}` has nothing to {deed}: every input stays in the sequence, because the head reads it or "
            "`fusion.keep` names it. Use `fusion=concat`, or add an input."
        )
    return left


def chosen_layers(fusion: str, depth: int, every: int) -> list[int]:
    """Return the layers after which a fusion acts: after every so many, the last of them always.

    Raises:
        CompositionError: There is none.
    """
    if not depth:
        raise CompositionError(
            f"`fusion={fusion}` acts after the layers of the backbone, and this backbone has none. "
            "Use `fusion=concat`, or a backbone with layers."
        )
    return [layer for layer in range(depth) if (depth - 1 - layer) % every == 0]


def check_inputs(option: str, named: Sequence[str], modalities: Sequence[str]) -> None:
    """Raise `OptionError` where an option of the fusion names what is no input."""
    for name in named:
        if name not in modalities:
            raise OptionError(f"`fusion.{option}` names `{name}`, which is no input."
                              f"{did_you_mean(name, modalities)}{one_of(list(modalities))}")  # fmt: skip


def check_heads(heads: int, width: int) -> None:
    """Raise `OptionError` where the heads do not divide the width."""
    if width % heads:
        raise OptionError(f"`fusion.heads` must divide the backbone's width, {width}; {heads} does not.")

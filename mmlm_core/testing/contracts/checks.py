"""Small checks that the contracts of several kinds are made of. Whatever fails tells the author what to do."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from mmlm_core.errors import MmlmError

__all__ = ["by_pickle", "difference", "first_line", "refuses", "same", "telling"]

Thing = TypeVar("Thing")


def same(left: Tensor, right: Tensor) -> bool:
    """Whether two results have one shape and agree to the rounding of float32, which follows the largest numbers."""
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    if not left.is_floating_point() or not left.numel():
        return torch.equal(left, right)
    largest = float(left.detach().abs().max())
    largest = max(1.0, largest) if math.isfinite(largest) else 1.0
    return torch.allclose(left, right, rtol=1e-4, atol=1e-5 * largest)


def difference(left: Any, right: Any, path: str = "") -> str | None:
    """Return the path of the first place where two values differ, as `rows[3].target`; None where they are alike."""
    if is_dataclass(left) and type(left) is type(right):
        names = [f.name for f in fields(left)]
        return _first((f"{path}.{name}", getattr(left, name), getattr(right, name)) for name in names)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        if left.keys() != right.keys():
            return f"the names in {path.removeprefix('.') or 'it'}"
        return _first((f"{path}[{key!r}]", value, right[key]) for key, value in left.items())
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        if len(left) != len(right):
            return f"the length of {path.removeprefix('.') or 'it'}: {len(left)} or {len(right)}"
        return _first((f"{path}[{index}]", *pair) for index, pair in enumerate(zip(left, right, strict=True)))
    return None if _alike(left, right) else path.removeprefix(".") or "the value"


def by_pickle(thing: Thing, named: str) -> Thing:
    """Return a thing as it arrives in another process."""
    with telling(
        f"{named} does not pickle, but it goes to other processes: keep plain values in it, no lambda, no class or "
        "function that stands in a function, no open file and no lock (or leave these out in `__getstate__`)"
    ):
        return pickle.loads(pickle.dumps(thing))  # type: ignore[no-any-return]


def refuses(act: Callable[[], object], kind: type[MmlmError], must: str) -> None:
    """Check that something raises an error that is meant for a user's eyes."""
    advice = f"{must} must raise `mmlm_core.errors.{kind.__name__}` with a message for the user"
    try:
        act()
    except kind:
        return
    except Exception as error:
        raise AssertionError(f"{advice}, not {type(error).__name__}: {first_line(error)}") from error
    raise AssertionError(f"{advice}; it passes.")


@contextmanager
def telling(advice: str) -> Iterator[None]:
    """Tell an author what to do where something raises."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"{advice}. {type(error).__name__}: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    return next(iter(str(error).splitlines()), "(no message)")


def _first(triples: Any) -> str | None:
    found = (difference(left, right, path) for path, left, right in triples)
    return next((path for path in found if path is not None), None)


def _alike(left: Any, right: Any) -> bool:
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return same(left, right)
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-4, abs_tol=1e-5) or (left != left and right != right)
    equal = left == right
    return bool(equal.all()) if hasattr(equal, "all") else bool(equal)  # an array answers for each of its numbers

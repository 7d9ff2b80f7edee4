"""Refuses a configuration that could run code or read the environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmlm_core.errors import RunError

__all__ = ["refuse_unsafe"]


def refuse_unsafe(mapping: Any, source: str) -> None:
    """Refuse a configuration that could run code or read the environment: `_target_` keys and `${` values.

    Raises:
        RunError: It has one; the message gives its path.
    """
    for path, value in _leaves(mapping, ""):
        if path.rpartition(".")[2] == "_target_" or (isinstance(value, str) and "${" in value):
            raise RunError(f"`{path}` of {source} is `{value}`: a run's configuration holds plain values only, "
                           "so that loading it runs no code.")  # fmt: skip


def _leaves(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            inner = f"{path}.{key}" if path else str(key)
            if key == "_target_":  # whatever it holds
                yield inner, value
            yield from _leaves(value, inner)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _leaves(value, f"{path}[{index}]")
    else:
        yield path, node

"""The order of keys in which forms of a JSON schema are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["in_order"]


def in_order(value: Any, schema: Any, root: Any = None) -> Any:
    """Return a JSON value with the keys of its objects in the schema's order, in which alone they can be written.

    Keys that `properties` does not name come behind, in their own order. Below `anyOf` and its like the order stays.

    Args:
        value: Of the schema, or not.
        schema: The JSON schema.
        root: The whole schema, to which `$ref` points; None: the schema itself.

    Example:
        >>> in_order({"b": 1, "a": 2}, {"properties": {"a": {}, "b": {}}})
        {'a': 2, 'b': 1}
    """
    root = schema if root is None else root
    schema = _pointed(schema, root)
    if isinstance(value, list):
        return [in_order(each, schema.get("items"), root) for each in value]
    if not isinstance(value, dict):
        return value
    named = schema.get("properties")
    named = named if isinstance(named, Mapping) else {}
    keys = [*(key for key in named if key in value), *(key for key in value if key not in named)]
    return {key: in_order(value[key], named.get(key, schema.get("additionalProperties")), root) for key in keys}


def _pointed(schema: Any, root: Any) -> Mapping[str, Any]:
    """Return a schema, or the one within the whole that its `$ref` points to; an empty one where there is none."""
    seen: list[str] = []
    while isinstance(schema, Mapping) and isinstance(schema.get("$ref"), str) and schema["$ref"] not in seen:
        seen.append(schema["$ref"])
        there = root
        for name in schema["$ref"].removeprefix("#").split("/")[1:]:
            there = there.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(there, Mapping) else None
        schema = there
    return schema if isinstance(schema, Mapping) else {}

"""Options dataclasses: from plain values and back, strictly, and told in words. Imports no torch and no OmegaConf.

A value is taken only where it can be taken as it stands: 5.7 never becomes the integer 5, and `yes` never becomes true.
Everything that is wrong is told at once.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from mmlm_core.errors import MmlmError, OptionError, UnknownChoiceError, did_you_mean, gather, one_of

__all__ = ["Source", "check_choices", "option_docs", "option_types", "plain", "said", "type_words", "typed",
           "value_words"]  # fmt: skip

Source = str | Callable[[str], str]
"""Where values come from, for messages: a name, or a function of an option's path that returns the name."""


def said(source: Source, path: str) -> str:
    """Return where the value at a path comes from."""
    return source if isinstance(source, str) else source(path)


def typed(schema: type, values: Mapping[str, Any], where: str, source: Source) -> Any:
    """Return an instance of an options dataclass with these values, checked and converted.

    Args:
        schema: The dataclass.
        values: Its fields' values; the others keep their defaults.
        where: The path of the options, for messages.
        source: Where the values come from, for messages.

    Raises:
        OptionError: A value of the wrong type, or out of its range.
        UnknownChoiceError: An option that the dataclass does not have.
        MmlmError: Several of these.
    """
    hints = option_types(schema)
    problems: list[MmlmError] = []
    taken: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{where}.{name}"
        if name not in hints:
            problems.append(_unknown(name, path, list(hints), source))
            continue
        try:
            taken[name] = convert(value, hints[name], path, source)
        except MmlmError as error:
            problems.append(error)
    try:
        options = schema(**taken)
        if not problems:
            return options
    except MmlmError as error:
        told = str(error) if str(error).endswith((".", "?")) else f"{error}."
        problems.append(type(error)(f"{told} This is `{where}` of {said(source, where)}."))
    except (TypeError, ValueError) as error:
        problems.append(OptionError(f"`{where}` of {said(source, where)}: {error}."))
    raise gather(problems)


def convert(value: Any, hint: Any, path: str, source: Source) -> Any:
    """Return a plain value as the type of an option.

    Text that reads exactly as a number or as an enum's value is taken as such, since YAML and command lines hold text.

    Raises:
        OptionError: The value is not of the type.
    """
    if is_dataclass(hint) and isinstance(hint, type):
        if isinstance(value, hint):
            return value
        if isinstance(value, Mapping):
            return typed(hint, value, path, source)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (list, tuple) and isinstance(value, list | tuple):
        kinds = inner if origin is tuple and inner[-1:] != (...,) else inner[:1] * len(value)
        if len(kinds) == len(value):
            pairs = enumerate(zip(value, kinds, strict=True))
            return origin([convert(item, kind, f"{path}[{index}]", source) for index, (item, kind) in pairs])
    elif origin is dict and isinstance(value, Mapping):
        return {convert(key, inner[0], path, source): convert(item, inner[1], f"{path}.{key}", source)
                for key, item in value.items()}  # fmt: skip
    elif origin in (Union, types.UnionType):
        for kind in sorted(inner, key=lambda kind: type(value) is not kind):  # the value's own type first
            try:
                return convert(value, kind, path, source)
            except MmlmError as error:
                if is_dataclass(kind) and isinstance(value, Mapping):
                    raise error
    else:
        taken = _take(value, hint)
        if taken is not MISSING:
            return taken
    quoted = f" In quotes of its own, as `'\"{value}\"'`, it is text." if hint is str and type(value) is float else ""
    near = did_you_mean(value, value_words(hint)) if isinstance(value, str) else ""
    raise OptionError(
        f"`{path}` of {said(source, path)} must be {type_words(hint)}, not {_shown(value)}.{near}{quoted}"
    )


def check_choices(owner: Any) -> None:
    """Make the words of an options dataclass's enums their members, in its `__post_init__`.

    So that a plain word does in Python what it does in YAML, and never goes unnoticed.

    Raises:
        OptionError: It is no word of the enum.
    """
    for name, hint in option_types(owner.__class__).items():
        if isinstance(hint, type) and issubclass(hint, Enum):
            value = getattr(owner, name)
            taken = _take(value, hint)
            if taken is MISSING:
                near = did_you_mean(str(value), value_words(hint))
                raise OptionError(f"`{name}` must be {type_words(hint)}, not `{value}`.{near}")
            setattr(owner, name, taken)


def type_words(hint: Any) -> str:
    """Return a type as words that follow "must be": `an integer`, `one of `auto`, `fp32``."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(type_words(kind) for kind in inner))
    if origin is Literal:
        return "one of " + ", ".join(f"`{choice}`" for choice in inner)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "one of " + ", ".join(f"`{member.value}`" for member in hint)
    if hint is list or origin in (list, tuple):
        return "a list" + (f" whose items are {type_words(inner[0])}" if inner else "")
    if hint is dict or origin is dict or is_dataclass(hint):
        return "a mapping"
    words = {bool: "`true` or `false`", int: "an integer", float: "a number", str: "text", bytes: "bytes",
             Path: "a path", types.NoneType: "`null`", None: "`null`", Any: "any value"}  # fmt: skip
    return words.get(hint, f"of the type {getattr(hint, '__name__', hint)}")


def value_words(hint: Any) -> list[str]:
    """Return the words that a type takes; none where there is no end of them."""
    if hint is bool:
        return ["true", "false"]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return [str(member.value) for member in hint]
    if get_origin(hint) is Literal:
        return [str(choice) for choice in get_args(hint)]
    if hint is types.NoneType:
        return ["null"]
    return [word for kind in get_args(hint) for word in value_words(kind)] if not isinstance(hint, type) else []


@cache
def option_types(schema: type) -> dict[str, Any]:
    """Return the type of each option of a dataclass, in the order of its fields."""
    hints = get_type_hints(schema)
    return {f.name: hints[f.name] for f in fields(schema) if f.init}


def plain(value: Any) -> Any:
    """Return a value as YAML can hold it: dataclasses as mappings, enums by their value, paths as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value) if f.init}
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | bytes | types.NoneType) else str(value)


def option_docs(schema: type) -> dict[str, str]:
    """Return the doc of each option of a dataclass: the string that stands below the field.

    Python drops these strings, so they are read from the source; an option without one has an empty doc.
    """
    import ast
    import inspect
    import textwrap

    docs = {f.name: "" for f in fields(schema)}
    for owner in reversed(schema.__mro__[:-1]):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
        except (OSError, TypeError, SyntaxError):
            continue
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for statement, after in pairwise(body):
            if (
                isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
                and isinstance(after.value.value, str)
            ):
                docs[statement.target.id] = inspect.cleandoc(after.value.value)
    return docs


def _take(value: Any, hint: Any) -> Any:
    """Return the value as a simple type, or `MISSING` where it is not of it."""
    text = value.strip() if isinstance(value, str) else None
    taken: Any = MISSING
    if hint is Any:
        taken = value
    elif hint in (None, types.NoneType):
        taken = None if value is None else MISSING
    elif hint is bool:
        taken = value if isinstance(value, bool) else {"true": True, "false": False}.get((text or "").lower(), MISSING)
    elif hint in (int, float):
        taken = _number(value if text is None else text, hint)
    elif hint is str:
        taken = str(value) if isinstance(value, str) or type(value) is int else MISSING
    elif hint is Path:
        taken = Path(value) if isinstance(value, str | Path) else MISSING
    elif get_origin(hint) is Literal:
        taken = value if value in get_args(hint) else MISSING
    elif isinstance(hint, type) and issubclass(hint, Enum):
        taken = next((member for member in hint if value in (member, member.value, member.name)), MISSING)
    elif isinstance(hint, type):
        taken = value if isinstance(value, hint) else MISSING
    return taken


def _number(value: Any, hint: type) -> Any:
    if isinstance(value, str):
        try:
            value = hint(value)
        except ValueError:
            return MISSING
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # nan is no number
        return MISSING
    return hint(value) if hint is float or float(value).is_integer() else MISSING


def _unknown(name: str, path: str, names: list[str], source: Source) -> UnknownChoiceError:
    return UnknownChoiceError(
        f"`{path}` of {said(source, path)} is no option.{did_you_mean(str(name), names)}{one_of(names)}"
    )


def _shown(value: Any) -> str:
    return "`null`" if value is None else f"`{value if isinstance(value, str | int | float) else plain(value)}`"

"""Reads the points of a PLY file (Turk 1994): ASCII, or binary of either byte order.

Why not a library: plyfile is under the GPL; trimesh 5.2 and meshio 5.3.5, which are under MIT, take an ASCII file that
was cut off for a whole one. Of the format only the vertices are needed here, which is little.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAGIC", "read_ply"]

MAGIC = b"ply"
"""How a PLY file begins."""

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8",
}  # fmt: skip

_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}

_END = re.compile(rb"[\r\n]end_header[ \t]*(?:\r\n|\n|\r|$)")


@dataclass
class _Element:
    """What the header says of one kind of element; a property that is a list has the type `list`."""

    name: str
    count: int
    properties: dict[str, str] = field(default_factory=dict)


def read_ply(content: bytes) -> NDArray[np.float64]:
    """Return the coordinates of a PLY file's vertices; faces, colours and all else are left out.

    Shape: [N, 3].

    Args:
        content: The whole file.

    Raises:
        ValueError: It is no PLY file, is cut off, or has no vertices with x, y and z; the text says which.
    """
    end = _END.search(content)
    if not content.startswith(MAGIC) or end is None:
        raise ValueError("its header does not end")
    order, elements = _header(content[: end.start()].decode("ascii", "replace"))
    place = next((index for index, element in enumerate(elements) if element.name == "vertex"), None)
    if place is None:
        raise ValueError("its header names no element `vertex`")
    before, vertex = elements[:place], elements[place]
    missing = [name for name in "xyz" if vertex.properties.get(name, "list") == "list"]
    if missing:
        raise ValueError(f"its vertices have no number `{missing[0]}`")
    if vertex.count == 0:
        return np.empty((0, 3))
    body = content[end.end() :]
    points = _ascii(body, before, vertex) if order == "" else _binary(body, order, before, vertex)
    if len(points) < vertex.count:
        raise ValueError(f"its header says {vertex.count:,} points, and {len(points):,} are there")
    return points


def _header(text: str) -> tuple[str, list[_Element]]:
    """Return the byte order (empty: ASCII) and the elements."""
    order: str | None = None
    elements: list[_Element] = []
    for line in text.splitlines()[1:]:
        match line.split():
            case ["format", name, _] if name in _ORDERS:
                order = _ORDERS[name]
            case ["element", name, count] if count.isdecimal():
                elements.append(_Element(name, int(count)))
            case ["property", "list", _, _, name] if elements:
                elements[-1].properties[name] = "list"
            case ["property", kind, name] if elements and kind in _TYPES:
                elements[-1].properties[name] = _TYPES[kind]
            case [] | ["comment" | "obj_info", *_]:
                pass
            case _:
                raise ValueError(f"its header has the line `{line[:60]}`, which is none of the format's")
    if order is None:
        raise ValueError("its header names no format")
    return order, elements


def _ascii(body: bytes, before: list[_Element], vertex: _Element) -> NDArray[np.float64]:
    names = list(vertex.properties)
    columns = [names.index(name) for name in "xyz"]
    if "list" in list(vertex.properties.values())[: max(columns)]:
        raise ValueError("its vertices have a list before their coordinates")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are no lines at all: the caller counts them
        return np.loadtxt(
            BytesIO(body),
            comments=None,
            skiprows=sum(element.count for element in before),
            usecols=columns,
            max_rows=vertex.count,
            ndmin=2,
        )


def _binary(body: bytes, order: str, before: list[_Element], vertex: _Element) -> NDArray[np.float64]:
    for element in [*before, vertex]:
        if "list" in element.properties.values():
            raise ValueError(f"its element `{element.name}` has a list, and may only stand behind the vertices")
    offset = sum(element.count * _record(element, order).itemsize for element in before)
    record = _record(vertex, order)
    count = min(vertex.count, max(0, len(body) - offset) // record.itemsize)
    if count == 0:
        return np.empty((0, 3))
    vertices = np.frombuffer(body, record, count, offset)
    return np.stack([vertices[name].astype(np.float64) for name in "xyz"], axis=1)


def _record(element: _Element, order: str) -> np.dtype[np.void]:
    return np.dtype([(name, order + kind) for name, kind in element.properties.items()])

"""Draw an SVG as the bytes of a small PNG."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import resvg_py
from PIL import Image

__all__ = ["icon_svg", "render", "render_alpha", "stored_png"]

_NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def icon_svg(icon: Mapping[str, Any], icon_set: Mapping[str, Any], size: int) -> str:
    """Return a whole SVG of `size` pixels a side; a box that is not square is centred, not stretched.

    Args:
        icon: The icon's `body` and, where they differ from the set's, its measures.
        icon_set: The set's own measures.
        size: Pixels a side.
    """
    left, top = icon.get("left", 0), icon.get("top", 0)
    width, height = (icon.get(name, icon_set[name]) for name in ("width", "height"))
    box = f'width="{size}" height="{size}" viewBox="{left} {top} {width} {height}"'
    return f"<svg {_NAMESPACES} {box}>{icon['body']}</svg>"


def render(svg: str, size: int) -> bytes:
    """Return the drawing on white, as `size * size` RGB pixels of three bytes, rows from the top.

    Raises:
        ValueError: The drawing has another size.
    """
    drawn = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, background="#ffffff", skip_system_fonts=True)
    picture = Image.open(io.BytesIO(bytes(drawn))).convert("RGB")
    if picture.size != (size, size):
        raise ValueError(f"a picture must be {size} x {size} pixels, got {picture.size}")
    return picture.tobytes()


def render_alpha(svg: str, size: int) -> bytes:
    """Return how opaque the drawing is, as `size * size` bytes, rows from the top.

    Raises:
        ValueError: The drawing has another size.
    """
    drawn = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)
    picture = Image.open(io.BytesIO(bytes(drawn))).convert("RGBA")
    if picture.size != (size, size):
        raise ValueError(f"a picture must be {size} x {size} pixels, got {picture.size}")
    return picture.getchannel("A").tobytes()


def stored_png(pixels: bytes, size: int) -> bytes:
    """Return pixels, RGB or gray, as a PNG whose data is stored, neither filtered nor deflated.

    By itself such a file is larger. But pictures of one family share shapes and colours (the same runner in six skin
    tones), which the codec of the whole column finds only where no deflate hides them: together they take half of the
    room that the same pictures take as optimised PNGs.
    """
    row = len(pixels) // size
    lines = b"".join(b"\0" + pixels[start : start + row] for start in range(0, len(pixels), row))
    kind = {size: 0, 3 * size: 2}[row]  # gray, RGB
    header = struct.pack(">IIBBBBB", size, size, 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

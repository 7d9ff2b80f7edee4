"""Opens media that a data source names: parts of files, and pictures. For the processors of encoders."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

from mmlm_core.errors import DataError

__all__ = ["FilePart", "load_picture", "opened"]

MOST_PIXELS = 100_000_000
"""Pictures above this many pixels are refused, so that a small file cannot fill the memory."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """An item that is a part of a file, such as a member of a tar archive; it is read where the row is prepared.

    Attributes:
        path: The file.
        offset: Bytes before the part.
        size: Bytes of the part.
    """

    path: str
    offset: int
    size: int

    def read(self) -> bytes:
        """Return the part's bytes.

        Raises:
            DataError: The file cannot be opened, or ends before the part does.
        """
        try:
            with open(self.path, "rb") as file:  # noqa: PTH123 (a Path costs more than a small read)
                file.seek(self.offset)
                content = file.read(self.size)
        except OSError as error:
            raise DataError(f"`{self.path}` cannot be opened: {error.strerror or error}.") from error
        if len(content) < self.size:
            raise DataError(f"`{self.path}` is cut off: {self.size:,} bytes at offset {self.offset:,} are wanted, and "
                            f"{len(content):,} are there.")  # fmt: skip
        return content


def opened(item: Any) -> Any:
    """Return an item as a processor takes it: the bytes of a part of a file; anything else as it is."""
    return item.read() if isinstance(item, FilePart) else item


def load_picture(item: Any, draft: int | None = None) -> Any:
    """Return a picture as an RGB `PIL.Image.Image`, whatever its mode: gray, palette, CMYK, 16 bit, with transparency.

    Transparent parts are laid on white. The orientation that a camera noted is applied.

    Args:
        item: A path, the bytes of a file, a mapping with `bytes` or `path` (as Hugging Face `datasets` stores
            pictures), a PIL picture, or an array of shape [height, width] or [height, width, 3] (uint8).
        draft: JPEG files may be decoded at the smallest scale whose shorter side has at least this many pixels.

    Raises:
        DataError: It is no picture, is empty, truncated, too large, or of a depth above 16 bit.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    name = _name(item)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = _open(item, name)
            if picture.width * picture.height > MOST_PIXELS:
                raise DataError(f"{name} has {picture.width} x {picture.height} pixels; {MOST_PIXELS:,} are the most.")
            if picture.width * picture.height == 0:
                raise DataError(f"{name} is empty: {picture.width} x {picture.height} pixels.")
            if draft is not None and picture.format == "JPEG" and picture is not item:  # a caller's own stays whole
                scale = max(1, min(picture.size) // draft)
                picture.draft("RGB", (picture.width // scale, picture.height // scale))
            picture.load()
            return _rgb(ImageOps.exif_transpose(picture), name)
    except DataError:
        raise
    except UnidentifiedImageError as error:  # its own text names an object in memory
        raise DataError(f"{name} cannot be read as a picture: it has the format of none.") from error
    except Image.DecompressionBombError as error:
        raise DataError(f"{name} cannot be read as a picture: {MOST_PIXELS:,} pixels are the most.") from error
    except Exception as error:  # on a broken file the formats' readers raise nearly anything, `struct.error` too
        raise DataError(f"{name} cannot be read as a picture: {error}.") from error


def _name(item: Any) -> str:
    if isinstance(item, str | PathLike):
        return f"`{fspath(item)}`"
    if isinstance(item, dict) and item.get("path"):
        return f"`{item['path']}`"
    return "a picture given as bytes" if isinstance(item, bytes | bytearray | memoryview | dict) else "a picture"


def _open(item: Any, name: str) -> Any:
    from PIL import Image

    if isinstance(item, Image.Image):
        return item
    if isinstance(item, dict) and ("bytes" in item or "path" in item):
        item = item.get("bytes") or item.get("path")
    if isinstance(item, bytes | bytearray | memoryview):
        if not len(item):
            raise DataError(f"{name} is empty: zero bytes.")
        return Image.open(io.BytesIO(item))
    if isinstance(item, str | PathLike):
        try:
            with open(item, "rb") as file:  # noqa: PTH123 (PIL would keep the file open)
                content = file.read()
        except OSError as error:
            raise DataError(f"{name} cannot be opened: {error.strerror or error}.") from error
        if not content:
            raise DataError(f"{name} is empty: zero bytes.")
        return Image.open(io.BytesIO(content))
    if hasattr(item, "__array_interface__"):
        return Image.fromarray(item)
    raise DataError(f"A picture must be a path, bytes or a PIL picture, not {type(item).__name__}.")


def _rgb(picture: Any, name: str) -> Any:
    from PIL import Image

    if picture.mode == "F":
        raise DataError(f"{name} has floating-point pixels, whose range is not known; make it 8 or 16 bit.")
    if picture.mode == "I" or picture.mode.startswith("I;16"):  # converted directly, it would be clipped at 255
        low, high = picture.getextrema()
        if low < 0 or high > 65535:
            raise DataError(f"{name} has pixels from {low} to {high}; 16 bit (from 0 to 65535) are the most.")
        wide = picture.convert("I").point(lambda value: value / 257 + 0.5)
        return wide.convert("L").convert("RGB")
    if "A" in picture.getbands() or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, layer).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")

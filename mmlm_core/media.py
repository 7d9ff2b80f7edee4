"""Opens media that a data source names: parts of files, and pictures. For the processors of encoders."""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

from mmlm_core.errors import DataError

__all__ = ["PNG_URL", "FilePart", "load_measured", "load_picture", "load_stored", "opened", "picture_url"]

PNG_URL = "data:image/png;base64,"
"""How a PNG begins that is written out as text: a browser shows it, and a program reads it back."""

ORIENTATION = 0x0112
SIDEWAYS = 5
"""The Exif tag of a camera's orientation, and its first value that means lying on a side."""

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
            pictures), what `picture_url` returned, a PIL picture, or an array of shape [height, width] or
            [height, width, 3] (uint8).
        draft: JPEG files may be decoded at the smallest scale whose shorter side has at least this many pixels.

    Raises:
        DataError: It is no picture, is empty, truncated, too large, or of a depth above 16 bit.
    """
    return load_measured(item, draft)[0]


def load_measured(item: Any, draft: int | None = None) -> tuple[Any, tuple[int, int]]:
    """Return what `load_picture` does, and the height and width that the upright picture has without a draft."""
    return _loaded(item, draft, lambda picture, name: _rgb(_upright(picture), name))


def load_stored(item: Any) -> Any:
    """Return a picture as a `PIL.Image.Image` of the mode in which it is stored: numbers of a palette stay numbers.

    Args:
        item: See `load_picture`.

    Raises:
        DataError: It is no picture, is empty, truncated or too large.
    """
    return _loaded(item, None, lambda picture, name: picture)[0]


def picture_url(picture: Any) -> str:
    """Return a PIL picture as text, a PNG in a data URL."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return PNG_URL + base64.b64encode(buffer.getvalue()).decode("ascii")


def _loaded(item: Any, draft: int | None, finish: Callable[[Any, str], Any]) -> tuple[Any, tuple[int, int]]:
    """Open and decode a picture, and return what `finish` makes of it and of its name; and its height and width."""
    from PIL import Image, UnidentifiedImageError

    name = _name(item)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = _open(item, name)
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise DataError(f"{name} has {width} x {height} pixels; {MOST_PIXELS:,} are the most.")
            if width * height == 0:
                raise DataError(f"{name} is empty: {width} x {height} pixels.")
            if draft is not None and picture.format == "JPEG" and picture is not item:  # a caller's own stays whole
                scale = max(1, min(picture.size) // draft)
                picture.draft("RGB", (width // scale, height // scale))
            picture.load()
            turned = picture.getexif().get(ORIENTATION, 1) >= SIDEWAYS
            return finish(picture, name), (width, height) if turned else (height, width)
    except DataError:
        raise
    except UnidentifiedImageError as error:  # its own text names an object in memory
        raise DataError(f"{name} cannot be read as a picture: it has the format of none.") from error
    except Image.DecompressionBombError as error:
        raise DataError(f"{name} cannot be read as a picture: {MOST_PIXELS:,} pixels are the most.") from error
    except Exception as error:  # on a broken file the formats' readers raise nearly anything, `struct.error` too
        raise DataError(f"{name} cannot be read as a picture: {error}.") from error


def _name(item: Any) -> str:
    if isinstance(item, str) and item.startswith(PNG_URL):
        return "a picture given as a data URL"
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
    if isinstance(item, str) and item.startswith(PNG_URL):
        try:
            item = base64.b64decode(item.removeprefix(PNG_URL), validate=True)
        except binascii.Error as error:
            raise DataError(f"{name} cannot be read as a picture: {error}.") from error
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


def _upright(picture: Any) -> Any:
    from PIL import ImageOps

    return ImageOps.exif_transpose(picture)


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

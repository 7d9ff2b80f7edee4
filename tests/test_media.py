"""Pictures of every mode open with the right pixels; broken ones give one clear error that names them."""

import io
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmlm_core import media
from mmlm_core.errors import DataError
from mmlm_core.media import FilePart, load_measured, load_picture, load_stored, opened, picture_url

RED, GREEN, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (255, 255, 255), (0, 0, 0)


def encode(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def pixels(item: object) -> list[tuple[int, int, int]]:
    """The pixels of a loaded picture, row by row."""
    picture = load_picture(item)
    assert picture.mode == "RGB"
    return [tuple(int(value) for value in pixel) for pixel in np.asarray(picture).reshape(-1, 3)]


def png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG file written by hand, for what Pillow does not write; `rows` holds each row behind its filter byte 0."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))  # fmt: skip


def row(mode: str, values: list[object]) -> Image.Image:
    """A picture one pixel high."""
    picture = Image.new(mode, (len(values), 1))
    for place, value in enumerate(values):
        picture.putpixel((place, 0), value)
    return picture


def fault(item: object) -> str:
    with pytest.raises(DataError) as caught:
        load_picture(item)
    return str(caught.value)


# What opens


def test_an_rgb_picture_opens_from_a_path_from_bytes_from_a_mapping_from_pil_and_from_an_array(tmp_path: Path) -> None:
    picture = row("RGB", [RED, GREEN])
    content, file = encode(picture), tmp_path / "two.png"
    file.write_bytes(content)
    array = np.asarray(picture)
    mappings = [{"bytes": content, "path": None}, {"path": str(file)}, {"bytes": content, "path": "gone.png"}]
    for item in (file, str(file), content, bytearray(content), memoryview(content), *mappings, picture, array):
        assert pixels(item) == [RED, GREEN]


def test_gray_pictures_become_gray_rgb() -> None:
    assert pixels(encode(row("L", [0, 77, 255]))) == [BLACK, (77, 77, 77), WHITE]
    assert pixels(np.array([[0, 77, 255]], dtype=np.uint8)) == [BLACK, (77, 77, 77), WHITE]


def test_a_picture_of_one_bit_becomes_black_and_white() -> None:
    assert pixels(encode(row("1", [0, 1]))) == [BLACK, WHITE]


def test_a_palette_is_looked_up() -> None:
    picture = row("P", [0, 1])
    picture.putpalette([*RED, *GREEN])
    assert pixels(encode(picture)) == [RED, GREEN]


def test_a_transparent_colour_of_a_palette_becomes_white() -> None:
    picture = row("P", [0, 1])
    picture.putpalette([*RED, *GREEN])
    assert pixels(encode(picture, transparency=0)) == [WHITE, GREEN]
    assert pixels(encode(picture, transparency=bytes([128, 255]))) == [(255, 127, 127), GREEN]


def test_transparency_lies_on_white() -> None:
    assert pixels(encode(row("RGBA", [(*RED, 255), (*RED, 0), (0, 0, 0, 51)]))) == [RED, WHITE, (204, 204, 204)]
    assert pixels(encode(row("LA", [(0, 255), (0, 0), (0, 51)]))) == [BLACK, WHITE, (204, 204, 204)]


def test_a_transparent_colour_of_an_rgb_or_a_gray_png_becomes_white() -> None:
    assert pixels(encode(row("RGB", [RED, GREEN]), transparency=RED)) == [WHITE, GREEN]
    assert pixels(encode(row("L", [0, 77]), transparency=0)) == [WHITE, (77, 77, 77)]


def test_cmyk_jpeg_opens() -> None:
    picture = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # no cyan, all magenta and yellow: red
    red, green, blue = pixels(encode(picture, "JPEG", quality=100))[0]
    assert red > 250 and green < 5 and blue < 5


def test_16_bit_gray_is_scaled_and_not_clipped() -> None:
    values = [0, 257, 0x8080, 40000, 65535]
    expected = [(value,) * 3 for value in (0, 1, 128, 156, 255)]  # 40000 / 257 = 155.6
    written = encode(Image.fromarray(np.array([values], dtype=np.uint16)))
    by_hand = png(5, 1, 16, 0, b"\0" + struct.pack(">5H", *values))
    assert pixels(written) == expected
    assert pixels(by_hand) == expected
    assert pixels(encode(Image.fromarray(np.array([values], dtype=np.uint16)), "TIFF")) == expected
    assert pixels(Image.fromarray(np.array([values], dtype=np.int32))) == expected


def test_16_bit_colour_keeps_its_upper_bits() -> None:
    assert pixels(png(1, 1, 16, 2, b"\0" + struct.pack(">3H", 0xFFFF, 0x80FF, 0))) == [(255, 128, 0)]


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_the_orientation_that_a_camera_noted_is_applied(orientation: int) -> None:
    picture = Image.new("RGB", (32, 16), WHITE)
    picture.paste(BLACK, (0, 0, 16, 16))  # the left half
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = np.asarray(load_picture(encode(picture, "JPEG", quality=100, exif=exif)))[..., 0] < 128
    size, dark = {3: ((16, 32), np.s_[:, 16:]), 6: ((32, 16), np.s_[:16, :]), 8: ((32, 16), np.s_[16:, :])}[orientation]
    assert turned.shape == size
    assert turned[dark].all() and turned.sum() == 256


def test_the_first_picture_of_an_animation_is_taken() -> None:
    frames = [Image.new("RGB", (2, 2), RED), Image.new("RGB", (2, 2), GREEN)]
    assert pixels(encode(frames[0], "GIF", save_all=True, append_images=frames[1:])) == [RED] * 4


def test_a_draft_is_smaller_but_no_side_falls_below_it() -> None:
    content = encode(Image.new("RGB", (400, 300), RED), "JPEG")
    assert load_picture(content, draft=64).size == (100, 75)
    assert load_picture(content, draft=300).size == (400, 300)
    assert load_picture(encode(Image.new("RGB", (400, 300)), "PNG"), draft=64).size == (400, 300)


def test_a_callers_own_picture_stays_as_it_is() -> None:
    own = Image.open(io.BytesIO(encode(Image.new("RGB", (400, 300), RED), "JPEG")))
    load_picture(own, draft=32).putpixel((0, 0), GREEN)
    assert own.size == (400, 300)
    assert own.getpixel((0, 0)) != GREEN


# What does not open


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gone.png"
    assert fault(path) == f"`{path}` cannot be opened: No such file or directory."
    assert fault({"path": str(path), "bytes": None}) == f"`{path}` cannot be opened: No such file or directory."


def test_a_folder_is_named(tmp_path: Path) -> None:
    assert fault(tmp_path) == f"`{tmp_path}` cannot be opened: Is a directory."


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.write_bytes(b"")
    assert fault(path) == f"`{path}` is empty: zero bytes."
    assert fault(b"") == "a picture given as bytes is empty: zero bytes."


def test_a_text_file_with_a_pictures_ending_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("no picture at all")
    assert fault(path) == f"`{path}` cannot be read as a picture: it has the format of none."


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_a_truncated_file_is_named(tmp_path: Path, kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    content = encode(Image.fromarray(noise), kind)
    path = tmp_path / "half"
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(content[: int(len(content) * share)])
        assert fault(path).startswith(f"`{path}` cannot be read as a picture: ")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF"])
def test_damaged_bytes_open_or_give_the_one_error(kind: str) -> None:
    random = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112] = 6
    noise = random.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    options = {} if kind == "GIF" else {"exif": exif}
    whole = np.frombuffer(encode(Image.fromarray(noise), kind, **options), dtype=np.uint8)
    for _ in range(60):
        damaged = whole.copy()
        damaged[random.integers(0, len(damaged), 3)] = random.integers(0, 256, 3)
        try:
            assert load_picture(damaged.tobytes()).mode == "RGB"
        except DataError as error:
            assert str(error).startswith("a picture given as bytes ")


def test_a_small_file_cannot_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(60_000, 60_000, 1, 0, b""))
    assert fault(path) == f"`{path}` cannot be read as a picture: 100,000,000 pixels are the most."
    path.write_bytes(png(12_000, 10_000, 1, 0, b""))
    assert fault(path) == f"`{path}` has 12000 x 10000 pixels; 100,000,000 are the most."


def test_the_most_pixels_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MOST_PIXELS", 6)
    assert load_picture(Image.new("RGB", (3, 2))).size == (3, 2)
    assert fault(Image.new("RGB", (7, 1))) == "a picture has 7 x 1 pixels; 6 are the most."


def test_a_picture_without_pixels_is_refused() -> None:
    assert fault(Image.new("RGB", (0, 3))) == "a picture is empty: 0 x 3 pixels."


def test_values_without_a_known_range_are_refused_rather_than_clipped() -> None:
    expected = "a picture has floating-point pixels, whose range is not known; make it 8 or 16 bit."
    assert fault(Image.new("F", (2, 2))) == expected
    wide = Image.fromarray(np.array([[0, 70000]], dtype=np.int32))
    assert fault(wide) == "a picture has pixels from 0 to 70000; 16 bit (from 0 to 65535) are the most."


@pytest.mark.parametrize("item", [None, 3, 1.5, {}, {"bytes": None, "path": None}, ["a.png"]])
def test_what_is_no_picture_is_refused_by_its_type(item: object) -> None:
    assert re.fullmatch(r"A picture must be a path, bytes or a PIL picture, not \w+\.", fault(item))


def test_an_array_of_another_shape_is_refused() -> None:
    assert fault(np.zeros((2, 2, 5), dtype=np.uint8)).startswith("a picture cannot be read as a picture: ")


def test_a_part_of_a_file_is_opened_as_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "archive.tar"
    file.write_bytes(b"before" + encode(Image.new("RGB", (1, 1), RED)) + b"behind")
    size = file.stat().st_size - 12
    assert pixels(opened(FilePart(str(file), 6, size))) == [RED]
    assert opened("cat.png") == "cat.png"


def test_a_part_that_the_file_does_not_have_is_named(tmp_path: Path) -> None:
    file = tmp_path / "archive.tar"
    file.write_bytes(b"12345")
    with pytest.raises(DataError, match=f"^`{re.escape(str(file))}` is cut off: 4 bytes at offset 3 are wanted, and 2 "
                                        r"are there\.$"):  # fmt: skip
        FilePart(str(file), 3, 4).read()
    with pytest.raises(DataError, match=r"^`nowhere\.tar` cannot be opened: No such file or directory\.$"):
        FilePart("nowhere.tar", 0, 1).read()


def test_a_picture_written_out_as_a_url_reads_back() -> None:
    picture = Image.new("RGB", (3, 2), GREEN)
    url = picture_url(picture)
    assert url.startswith("data:image/png;base64,")
    assert load_picture(url).tobytes() == picture.tobytes()
    with pytest.raises(DataError, match=r"^a picture given as a data URL cannot be read as a picture: "):
        load_picture("data:image/png;base64,a")


def test_a_stored_picture_keeps_the_numbers_of_its_palette() -> None:
    picture = Image.new("P", (3, 2), 7)
    picture.putpalette([0] * 21 + [255, 0, 0])
    stored = load_stored(encode(picture, "PNG"))
    assert stored.mode == "P" and set(stored.tobytes()) == {7}
    assert load_picture(encode(picture, "PNG")).getpixel((0, 0)) == (255, 0, 0)


def test_a_picture_is_measured_upright_and_without_its_draft() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture, extent = load_measured(encode(Image.new("RGB", (400, 200)), "JPEG", exif=exif), draft=32)
    assert extent == (400, 200) and picture.height == 2 * picture.width < 400

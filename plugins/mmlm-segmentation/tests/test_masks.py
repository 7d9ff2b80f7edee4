import base64
import io

import numpy as np
import pytest
from PIL import Image

from mmlm_core.errors import DataError
from mmlm_segmentation.masks import load_mask, mask_url, palette

NUMBERS = np.array([[0, 1, 2], [255, 7, 0]], np.int32)


def encoded(picture, kind="PNG"):
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def test_gray_and_palette_pictures_arrays_and_paths_give_the_same_numbers(tmp_path):
    gray = Image.fromarray(NUMBERS.astype(np.uint8))
    coloured = gray.copy()
    coloured.putpalette(palette())
    (tmp_path / "mask.png").write_bytes(encoded(coloured))
    wide = Image.fromarray(NUMBERS.astype(np.uint16))
    for target in (
        encoded(gray),
        coloured,
        str(tmp_path / "mask.png"),
        {"bytes": encoded(gray)},
        encoded(wide),
        NUMBERS,
    ):
        assert np.array_equal(load_mask(target), NUMBERS)


def test_a_mask_of_two_colours_has_the_numbers_0_and_1():
    assert load_mask(encoded(Image.new("1", (2, 2), 1))).tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("numbers", [NUMBERS, NUMBERS * 200, NUMBERS % 5, NUMBERS * 0])
def test_a_mask_written_out_as_a_url_reads_back(numbers):
    assert np.array_equal(load_mask(mask_url(numbers)), numbers)


def test_a_url_is_a_png_in_the_colours_of_pascal_voc():
    picture = Image.open(io.BytesIO(base64.b64decode(mask_url(NUMBERS).partition(",")[2])))
    assert picture.format == "PNG" and picture.mode == "P"
    colours = picture.convert("RGB")  # as its development kit lists them: background, aeroplane, bicycle; cow; void
    assert [colours.getpixel(place) for place in [(0, 0), (1, 0), (2, 0)]] == [(0, 0, 0), (128, 0, 0), (0, 128, 0)]
    assert colours.getpixel((1, 1)) == (128, 128, 128) and colours.getpixel((0, 1)) == (224, 224, 192)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (Image.new("RGB", (2, 2)), "The mask must have one channel, gray or with a palette, whose numbers are the "
         "classes; it has colours (RGB)."),
        (encoded(Image.new("L", (2, 2)), "JPEG"), "The mask is a JPEG, which changes numbers at the borders of areas: "
         "store it as a PNG."),
        (np.zeros((2, 2)), "A mask must be an array [height, width] of whole numbers, not [2, 2] of float64."),
        (b"", "a picture given as bytes is empty: zero bytes."),
        ("nowhere.png", "`nowhere.png` cannot be opened: No such file or directory."),
        (3, "A picture must be a path, bytes or a PIL picture, not int."),
    ],
)  # fmt: skip
def test_what_is_no_mask_is_refused(target, told):
    with pytest.raises(DataError) as refused:
        load_mask(target)
    assert str(refused.value) == told

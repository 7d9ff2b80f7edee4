"""Films are read as they are, and what is none says so."""

import struct
from io import BytesIO
from pathlib import Path

import av
import pytest
from PIL import Image

from mmlm_core.errors import DataError
from mmlm_video.motions import film
from mmlm_video.reading import load_frames

GREYS = [Image.new("RGB", (32, 24), (10 * place,) * 3) for place in range(20)]
"""Twenty pictures, each as grey as its place."""

UPRIGHT = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
TURNED = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
"""Matrices of the picture track in an .mp4 file: as it is, and turned by 90 degrees, clockwise."""


def greys(frames: list[Image.Image]) -> list[int]:
    """Return the places of pictures among `GREYS`; films lose a little."""
    return [round(frame.convert("L").getpixel((5, 5)) / 10) for frame in frames]


def written(path: Path, **options: str) -> bytes:
    """Return `GREYS` as a file of the kind that its ending says."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("mpeg4", rate=12, options={"qscale": "2"})
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
        for picture in GREYS:
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize(
    ("count", "places"),
    [(1, [10]), (2, [5, 15]), (4, [2, 7, 12, 17]), (20, list(range(20))), (99, list(range(20)))],
)
def test_frames_are_the_middle_ones_of_equal_shares(count: int, places: list[int]) -> None:
    assert greys(load_frames(GREYS, count)) == places


def test_a_file_gives_the_frames_that_its_pictures_give() -> None:
    for count in (1, 3, 8, 20, 99):
        assert greys(load_frames(film(GREYS), count)) == greys(load_frames(GREYS, count))


@pytest.mark.parametrize("ending", ["mp4", "avi", "mkv"])
def test_a_header_that_does_not_tell_the_length_changes_nothing(ending: str, tmp_path: Path) -> None:
    content = written(tmp_path / f"film.{ending}")
    with av.open(BytesIO(content)) as file:
        assert file.streams.video[0].frames == (0 if ending == "mkv" else 20)
    assert greys(load_frames(content, 4)) == [2, 7, 12, 17]


def test_a_path_the_bytes_and_a_stored_file_are_one_film(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(film(GREYS))
    for item in (path, str(path), path.read_bytes(), {"bytes": path.read_bytes(), "path": None}, {"path": str(path)}):
        assert greys(load_frames(item, 2)) == [5, 15]


def test_a_film_that_was_taken_upright_stays_so() -> None:
    picture = Image.new("RGB", (32, 24), "white")
    picture.paste("black", (0, 0, 16, 24))  # its left half
    content = film([picture] * 3)
    (as_it_is,) = load_frames(content, 1)
    before, _, behind = content.rpartition(UPRIGHT)  # that of the track; the one before it is the whole file's
    (turned,) = load_frames(before + TURNED + behind, 1)
    assert (as_it_is.size, turned.size) == ((32, 24), (24, 32))
    assert turned.getpixel((12, 4))[0] < 20 and turned.getpixel((12, 28))[0] > 235  # the left half lies on top


def test_a_film_that_is_cut_off_says_after_which_frame(tmp_path: Path) -> None:
    content = written(tmp_path / "film.mp4", movflags="faststart")
    assert len(load_frames(content, 99)) == 20
    with pytest.raises(DataError, match=r"^a film given as bytes is cut off after 19 frames\.$"):
        load_frames(content[:-1], 4)


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (b"", "a film given as bytes is empty: zero bytes."),
        (b"no film at all", "a film given as bytes cannot be read as a film: Invalid data found when processing input."),
        (film(GREYS)[:200], "a film given as bytes cannot be read as a film: Invalid data found when processing input."),
        ("nowhere.mp4", "`nowhere.mp4` cannot be opened: No such file or directory."),
        (3.5, "A film must be a path, bytes or pictures, not float."),
        ([], "A film that is a list must be one of PIL pictures, at least one."),
        (["a.png"], "A film that is a list must be one of PIL pictures, at least one."),
        ({}, "A film must be a path, bytes or pictures, not NoneType."),
    ],
)  # fmt: skip
def test_what_is_no_film_says_so(item: object, told: str) -> None:
    with pytest.raises(DataError) as caught:
        load_frames(item, 4)
    assert str(caught.value) == told


def test_sound_alone_is_no_film() -> None:
    file = BytesIO()
    with av.open(file, "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=800)
        frame.planes[0].update(bytes(1600))
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(DataError, match=r"^a film given as bytes has no picture track\.$"):
        load_frames(file.getvalue(), 4)

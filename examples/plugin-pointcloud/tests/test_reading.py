"""What is read as a point cloud, and how the rest is refused."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from mmlm_core.errors import DataError
from mmlm_pointcloud.reading import load_points

POINTS = [(0.0, 0.0, 0.0), (1.0, 2.0, 3.0), (0.5, -1.0, 4.0), (7.0, 8.0, -9.0)]
TRIANGLES = [(0, 1, 2), (1, 2, 3)]
FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


def header(kind: str, points: int = 4, more: str = "", before: str = "") -> bytes:
    return (f"ply\nformat {kind} 1.0\ncomment made by hand\n{before}element vertex {points}\nproperty float x\n"
            f"property float y\nproperty float z\n{more}end_header\n").encode()  # fmt: skip


def ply(kind: str) -> bytes:
    """A PLY file with colours, and faces behind the vertices."""
    more = "property uchar red\nelement face 2\nproperty list uchar int vertex_indices\n"
    if kind == "ascii":
        lines = [f"{x} {y} {z} 200" for x, y, z in POINTS] + [f"3 {a} {b} {c}" for a, b, c in TRIANGLES]
        return header(kind, more=more) + ("\n".join(lines) + "\n").encode()
    order = FORMATS[kind]
    vertices = b"".join(struct.pack(f"{order}fffB", *point, 200) for point in POINTS)
    return header(kind, more=more) + vertices + b"".join(struct.pack(f"{order}Biii", 3, *face) for face in TRIANGLES)


def npy(array: object) -> bytes:
    file = io.BytesIO()
    np.save(file, array)  # type: ignore[arg-type]
    return file.getvalue()


def fault(item: object) -> str:
    with pytest.raises(DataError) as caught:
        load_points(item)
    return str(caught.value)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_ply_file_gives_its_vertices_without_colours_and_faces(kind: str, tmp_path: Path) -> None:
    assert load_points(ply(kind)).tolist() == [list(point) for point in POINTS]
    path = tmp_path / "cloud.ply"
    path.write_bytes(ply(kind))
    assert load_points(path).tolist() == load_points(str(path)).tolist() == load_points({"path": str(path)}).tolist()


def test_x_y_and_z_are_found_by_name_among_other_numbers() -> None:
    text = (b"ply\r\nformat ascii 1.0\r\nelement vertex 2\r\nproperty double nx\r\nproperty double z\r\nproperty int x\r\n"
            b"property float64 y\r\nend_header\r\n9 3 1 2\r\n9 6 4 5\r\n")  # fmt: skip
    assert load_points(text).tolist() == [[1, 2, 3], [4, 5, 6]]


def test_elements_before_the_vertices_are_passed_over() -> None:
    before = "element camera 1\nproperty short a\nproperty double b\n"
    rows = b"".join(struct.pack(">fff", *point) for point in POINTS)
    binary = header("binary_big_endian", before=before) + struct.pack(">hd", 7, 7.0) + rows
    text = header("ascii", before=before) + b"7 7\n" + b"".join(b"%f %f %f\n" % point for point in POINTS)
    assert load_points(binary).tolist() == load_points(text).tolist() == [list(point) for point in POINTS]


@pytest.mark.parametrize("item", [
    np.array(POINTS), np.array(POINTS, dtype=np.float32), np.array(POINTS).astype(">f4"), torch.tensor(POINTS),
    [list(point) for point in POINTS], POINTS, npy(np.array(POINTS)), npy(np.asfortranarray(POINTS)),
    {"bytes": npy(np.array(POINTS, dtype=np.float32)), "path": None}, memoryview(npy(np.array(POINTS))),
], ids=range(10))  # fmt: skip
def test_arrays_tensors_lists_and_npy_files_give_the_same(item: object) -> None:
    assert load_points(item).tolist() == [list(point) for point in POINTS]


def test_the_content_says_the_format_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "cloud.npy"
    path.write_bytes(ply("ascii"))
    assert len(load_points(path)) == 4


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("kept", [0, 1, 3])
def test_a_ply_file_that_was_cut_off_between_points_says_how_many_there_are(kind: str, kept: int) -> None:
    point = b"%f %f %f\n" % POINTS[1] if kind == "ascii" else struct.pack("fff", *POINTS[1])
    assert fault(header(kind) + point * kept) == (
        f"a point cloud given as bytes cannot be read as a point cloud: its header says 4 points, and {kept} are there."
    )


@pytest.mark.parametrize("content", [ply(kind) for kind in FORMATS] + [npy(np.array(POINTS))], ids=[*FORMATS, "npy"])
def test_no_part_of_a_file_passes_for_other_points_than_the_whole(content: bytes) -> None:
    whole = load_points(content).tolist()
    for size in range(len(content)):
        if content.startswith(b"ply") and b" 4.0 200\n7.0 8.0 -9" in content[:size]:
            continue  # the last number's last digits: of a text, nobody can tell that they are missing
        try:
            assert load_points(content[:size]).tolist() == whole  # only faces are missing
        except DataError:
            continue


@pytest.mark.parametrize(("item", "message"), [
    (np.zeros((0, 3)), "a point cloud has no points."),
    ([], "a point cloud has no points."),
    (header("ascii", points=0), "a point cloud given as bytes has no points."),
    (np.zeros((5, 2)), "a point cloud must have the shape N x 3, a row of x, y and z for each point, not 5 x 2."),
    (np.zeros((3, 9)), "a point cloud must have the shape N x 3, a row of x, y and z for each point, not 3 x 9. "
     "Transposed, it has."),
    (np.zeros((5, 6)), "a point cloud must have the shape N x 3, a row of x, y and z for each point, not 5 x 6. Keep "
     "the first three columns."),
    ([0.0, 1.0, 2.0], "a point cloud must have the shape N x 3, a row of x, y and z for each point, not 3. A list of "
     "points is several items: put the cloud into a list of its own."),
    (np.float64(1), "a point cloud must have the shape N x 3, a row of x, y and z for each point, not that of a "
     "number."),
    ([[0.0, 1.0, 2.0], [0.0, 1.0]], "a point cloud has rows of different lengths; each must be x, y and z."),
    (np.array([["a", "b", "c"]]), "a point cloud must hold real numbers, not the type <U1."),
    (np.ones((2, 3), dtype=complex), "a point cloud must hold real numbers, not the type complex128."),
    (np.array([[0, 0, 0], [1, np.nan, 2], [np.inf, 0, 0]]), "a point cloud has 2 of 3 points with a coordinate that is "
     "not finite; the first is point 2: 1, nan, 2."),
    (header("ascii", points=1) + b"0 nan 0\n", "a point cloud given as bytes has 1 of 1 points with a coordinate that "
     "is not finite; the first is point 1: 0, nan, 0."),
    (3.5, "A point cloud must be a path, bytes or an array, not float."),
    (None, "A point cloud must be a path, bytes or an array, not NoneType."),
    (b"", "a point cloud given as bytes is empty: zero bytes."),
    (b"solid cube", "a point cloud given as bytes cannot be read as a point cloud: it is neither PLY nor NumPy's .npy."),
    (b"ply\nformat ascii 1.0\n", "a point cloud given as bytes cannot be read as a point cloud: its header does not end."),
    (header("ascii_2"), "a point cloud given as bytes cannot be read as a point cloud: its header has the line `format "
     "ascii_2 1.0`, which is none of the format's."),
    (b"ply\nformat ascii 1.0\nelement face 1\nend_header\n", "a point cloud given as bytes cannot be read as a point "
     "cloud: its header names no element `vertex`."),
    (b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nend_header\n0 0\n", "a point cloud "
     "given as bytes cannot be read as a point cloud: its vertices have no number `z`."),
    (b"ply\nelement vertex 1\nend_header\n", "a point cloud given as bytes cannot be read as a point cloud: its header "
     "names no format."),
    (header("binary_little_endian", before="element face 1\nproperty list uchar int vertex_indices\n"), "a point cloud "
     "given as bytes cannot be read as a point cloud: its element `face` has a list, and may only stand behind the "
     "vertices."),
])  # fmt: skip
def test_what_is_no_cloud_is_refused_with_the_reason(item: object, message: str) -> None:
    assert fault(item) == message


def test_a_message_names_the_file(tmp_path: Path) -> None:
    gone, empty = tmp_path / "gone.ply", tmp_path / "empty.npy"
    empty.write_bytes(npy(np.zeros((0, 3))))
    assert fault(gone) == f"`{gone}` cannot be opened: No such file or directory."
    assert fault({"path": str(empty)}) == f"`{empty}` has no points."


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, np.array([tmp_path], dtype=object), allow_pickle=True)
    assert "Object arrays cannot be loaded" in fault(file.getvalue())


def test_a_header_that_promises_more_than_memory_holds_is_refused() -> None:
    content = npy(np.zeros((4, 3))).replace(b"(4, 3), }" + b" " * 14, b"(4000000000000000, 3), }")
    assert b"4000000000000000" in content
    assert fault(content).startswith("a point cloud given as bytes cannot be read as a point cloud: ")
    assert fault(header("binary_little_endian", points=10**15)).endswith("and 0 are there.")

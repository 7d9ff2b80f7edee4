"""Features on disk, by what items hold: several writers, readers that began before, batches of which some are known."""

from __future__ import annotations

import multiprocessing
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from mmlm_core.data.contents import digest_of
from mmlm_core.data.feature_store import FeatureStore
from mmlm_core.data.recalling import VALUES, Recalling, is_pending
from mmlm_core.interfaces import Processor


class Words(Processor):
    """The lengths of words, as many positions as there are words, and their number."""

    content = ("lengths",)

    def process(self, item):
        words = item.decode().split()
        return {"lengths": torch.tensor([float(len(word)) for word in words]), "count": torch.tensor(len(words))}

    def blank(self):
        return self.process(b"blank")

    def collate(self, items, generator):
        return {"lengths": torch.nn.utils.rnn.pad_sequence([item["lengths"] for item in items], batch_first=True)}


def opened(folder: Path, most_bytes: int = 1 << 20) -> FeatureStore:
    store = FeatureStore(folder, most_bytes)
    store.open()
    return store


def filled(folder: Path, numbers: range) -> None:
    store = opened(folder)
    for number in numbers:
        store.add({bytes([number]) * 16: {"value": torch.full((3,), float(number))}})


def test_several_processes_write_at_once_and_a_reader_that_began_before_finds_all(tmp_path: Path) -> None:
    reader = pickle.loads(pickle.dumps(opened(tmp_path / "a")))
    assert reader.find(bytes([1]) * 16) is None
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=filled, args=(tmp_path / "a", range(start, start + 40))) for start in (0, 20, 40)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = [reader.find(bytes([number]) * 16) for number in range(80)]
    assert [None if tensors is None else tensors["value"].tolist() for tensors in found] == [[n] * 3 for n in range(80)]


def test_an_index_that_is_half_written_is_read_as_far_as_it_is_whole(tmp_path: Path) -> None:
    filled(tmp_path / "a", range(3))
    (index,) = (tmp_path / "a").glob("*.index")
    index.write_bytes(index.read_bytes()[:-1])
    assert len(opened(tmp_path / "a")) == 2


def test_a_batch_whose_items_are_known_only_in_part_has_each_once(tmp_path: Path) -> None:
    store = opened(tmp_path / "a")
    recalling = Recalling(Words(), store)
    texts = [b"a bb", b"ccc", b"a bb c dd"]
    assert all(is_pending([recalling.process(text)]) for text in texts)
    for text, values in ((texts[0], [[1.0], [2.0]]), (texts[2], [[1.0], [2.0], [1.0], [2.0]])):
        digest = digest_of(text)
        assert digest is not None
        store.add({digest: {VALUES: torch.tensor(values), "count": torch.tensor(len(values))}})
    made = recalling.collate([recalling.process(text) for text in texts], None)
    assert made["known/values"].squeeze(-1).tolist() == [[1, 2, 0, 0], [1, 2, 1, 2]]
    assert made["known/mask"].tolist() == [[True, True, False, False], [True] * 4]
    assert made["pending/lengths"].tolist() == [[3]] and made["count"].tolist() == [2, 1, 4]
    assert made["order"].tolist() == [0, 2, 1]


def test_content_is_the_same_wherever_it_lies(tmp_path: Path) -> None:
    picture = Image.new("RGB", (3, 2), "red")
    picture.save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    digests = {digest_of(item) for item in (str(tmp_path / "a.png"), content, {"bytes": content, "path": "elsewhere"})}
    assert len(digests) == 1 and None not in digests
    others = [b"", picture, picture.convert("L"), Image.new("RGB", (2, 3), "red"), torch.zeros(2, 3).numpy(),
              torch.zeros(3, 2).numpy(), {"array": torch.zeros(3).numpy(), "sampling_rate": 8000},
              {"array": torch.zeros(3).numpy(), "sampling_rate": 16000}]  # fmt: skip
    assert len({*digests, *map(digest_of, others)}) == 1 + len(others)


@pytest.mark.parametrize("item", ["missing.png", 3.5, object(), "data:image/png;base64,\0"])
def test_what_has_no_content_has_no_digest(item: object) -> None:
    assert digest_of(item) is None


def test_older_stores_make_room_and_folders_that_are_no_stores_stay(tmp_path: Path) -> None:
    items = {bytes([number]) * 16: {VALUES: torch.zeros(64, 64)} for number in range(2)}
    older = opened(tmp_path / "older")
    older.add({digest: items[digest] for digest in list(items)[:1]})
    mine = tmp_path / "pictures"
    mine.mkdir()
    (mine / "cat.png").write_bytes(bytes(1 << 16))
    mixed = tmp_path / "mixed"
    shutil.copytree(tmp_path / "older", mixed)
    (mixed / "notes.txt").write_text("mine")
    store = opened(tmp_path / "newer", 40_000)
    store.add(items)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mixed", "newer", "pictures"]
    assert (mine / "cat.png").stat().st_size == 1 << 16 and len(store) == 2

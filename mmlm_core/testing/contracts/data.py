"""What a data source keeps."""

from __future__ import annotations

import pickle

import pytest

from mmlm_core.errors import DataError
from mmlm_core.interfaces import DataSource
from mmlm_core.testing.contracts.common import ComponentContract

__all__ = ["DataContract"]


class DataContract(ComponentContract):
    """Rows by split."""

    def source(self) -> DataSource:
        """Return the source, opened."""
        return self.make()  # type: ignore[no-any-return]

    def test_every_split_can_be_read(self) -> None:
        """Splits are `train`, `validation`, `test`; each has rows with a key of their own."""
        source = self.source()
        splits = source.splits()
        assert splits and set(splits) <= {"train", "validation", "test"}
        for split in splits:
            rows = source.read(split)
            assert len(rows) > 0
            assert len({row.key for row in rows}) == len(rows)

    def test_it_gives_what_its_traits_say(self) -> None:
        """The first row has the modalities, and the target, that compatibility was checked with."""
        provides = self.component.traits_for(self.options).provides
        row = self.source().read(self.source().splits()[0])[0]
        assert {f"input:{name}" for name in row.inputs} == {word for word in provides if word.startswith("input:")}
        assert ("target" in provides) == (row.target is not None)

    def test_its_rows_pickle(self) -> None:
        """Data workers are other processes."""
        source = self.source()
        rows = source.read(source.splits()[0])
        assert pickle.loads(pickle.dumps(rows))[0] == rows[0]

    def test_an_unknown_split_is_an_error_of_ours(self) -> None:
        """The message is for a user."""
        with pytest.raises(DataError):
            self.source().read("tomorrow")

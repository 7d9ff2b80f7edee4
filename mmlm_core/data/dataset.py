"""Rows, prepared: each modality's processor and the target's have made their tensors. Rows are kept in memory."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from mmlm_core.data.readable import pass_over
from mmlm_core.data.recalling import is_pending
from mmlm_core.errors import DataError
from mmlm_core.interfaces import Processor, Stream, TargetProcessor
from mmlm_core.media import opened
from mmlm_core.settings import OnError
from mmlm_core.types import Example

__all__ = ["Fault", "Prepared", "Row", "Rows", "prepare", "size_of"]

Rows: TypeAlias = Sequence[Example] | Stream
"""The rows of a split, as `DataSource.read` returns them."""

UNASKED = -1
"""Stands where a length is not known yet."""

OVERHEAD = 400
"""Bytes that a small tensor costs beside its content, roughly: the objects of Python and of torch."""


@dataclass(frozen=True, slots=True)
class Row:
    """One prepared row.

    Attributes:
        inputs: The tensors of each item, by modality; every modality that is read is there, with an empty list where
            the row has no item.
        targets: The tensors of the target.
        example: The row itself; None where it is not wanted in the batch.
        places: Where the items stand, as in `Example.places`.
    """

    inputs: Mapping[str, Sequence[Mapping[str, Tensor]]]
    targets: Mapping[str, Tensor]
    example: Example | None
    places: Mapping[str, Sequence[int]] | None = None


class Fault(NamedTuple):
    """A row that cannot be used, and why."""

    key: str
    reason: str


def prepare(example: Example, processors: Mapping[str, Processor], target_processor: TargetProcessor | None) -> Row:
    """Return a row's tensors: each processor lays the row out, then its items are processed, and then its target.

    Raises:
        DataError: The row cannot be used; the message begins with its key.
    """
    part = ""
    try:
        if example.fault is not None:
            raise DataError(example.fault)
        laid_out = example
        for processor in processors.values():
            laid_out = processor.lay_out(laid_out)
        _check_places(laid_out)
        inputs = {}
        for part, processor in processors.items():
            inputs[part] = [processor.process(opened(item)) for item in laid_out.inputs.get(part) or ()]
        part = "target"
        targets = {} if target_processor is None else target_processor.process(laid_out, inputs)
    except DataError as error:
        told = str(error)  # which may begin with the key, where that is the file's path
        if not told.startswith(f"`{example.key}` "):
            told = f"{example.place(part)}: {told}"
        raise DataError(told) from error
    except Exception as error:
        error.add_note(f"This was in the row `{example.key}`.")
        raise
    return Row(inputs, targets, example, laid_out.places)


def _check_places(example: Example) -> None:
    """Raise `DataError` where a row says where its items stand, and not of each."""
    if example.places is None:
        return
    for modality, items in example.inputs.items():
        said, given = len(example.places.get(modality, ())), len(items or ())
        if said != given:
            raise DataError(f"`places` must have a number for each item of `{modality}`, {given}, not {said}.")


class Prepared(Dataset[Row | Fault]):
    """A split's rows as tensors. Picklable, so that it works in data workers, forked or spawned.

    Processors are deterministic outside `collate`, so a row that was prepared once is kept in memory while there is
    room. Every worker has a cache of its own, and the room is divided among them.

    Args:
        examples: The rows; of a stream there is no row by its number, and none is kept.
        processors: The processor of each modality that the model reads; other modalities of the rows are ignored.
        target_processor: The head's; None: no targets.
        cache_bytes: Room for prepared rows; 0: each is prepared anew whenever it is asked for.
        on_error: Whether a row that cannot be used raises, or comes as a `Fault`.
        needs_target: A row whose target is None cannot be used.
        with_examples: Batches carry their rows (for prediction and reports); training needs them not.
    """

    def __init__(
        self,
        examples: Rows,
        processors: Mapping[str, Processor],
        target_processor: TargetProcessor | None,
        cache_bytes: int = 0,
        on_error: OnError = OnError.RAISE,
        *,
        needs_target: bool = False,
        with_examples: bool = True,
    ) -> None:
        self.examples = examples
        self.processors = dict(sorted(processors.items()))
        self.target_processor = target_processor
        self.cache_bytes = cache_bytes
        self.on_error = on_error
        self.needs_target = needs_target
        self.with_examples = with_examples
        self._kept: dict[int, Row | Fault] = {}
        self._lengths = array("i")
        self._room: int | None = None

    def __getitem__(self, index: int) -> Row | Fault:
        """Return a row of a sequence, or why it cannot be used where such rows are skipped.

        Raises:
            DataError: It cannot be used, and `on_error` is `raise`.
        """
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        made = self._read(index)
        if self._room is None:  # asked here and not before: this may be a copy in a worker
            worker = get_worker_info()
            self._room = self.cache_bytes // (1 if worker is None else worker.num_workers)
        size = size_of(made)
        if size <= self._room and not _will_change(made):
            self._room -= size
            self._kept[index] = made
        return made

    def row(self, example: Example) -> Row | Fault:
        """Return a row that was read already, or why it cannot be used where such rows are skipped.

        Raises:
            DataError: It cannot be used, and `on_error` is `raise`.
        """
        try:
            if self.needs_target and example.target is None and example.fault is None:
                raise DataError(f"{example.place('target')}: The row has no target.")
            row = prepare(example, self.processors, self.target_processor)
        except DataError as error:
            return self._fault(example.key, error)
        return row if self.with_examples else replace(row, example=None)

    def length(self, example: Example) -> int:
        """Return about how long a row is, without preparing it: what its processors say of its items and its target."""
        items = sum(processor.length(item) for modality, processor in self.processors.items()
                    for item in example.inputs.get(modality) or ())  # fmt: skip
        return items + (0 if self.target_processor is None else self.target_processor.length(example))

    def lengths(self, indices: Sequence[int]) -> list[int]:
        """Return about how long rows are; 0 where one cannot be read. Each is asked once."""
        if not self._lengths:
            self._lengths = array("i", [UNASKED]) * len(self.examples)  # type: ignore[arg-type]
        for index in indices:
            if self._lengths[index] == UNASKED:
                self._lengths[index] = self._length(index)
        return [self._lengths[index] for index in indices]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": {}, "_lengths": array("i"), "_room": None}

    def _read(self, index: int) -> Row | Fault:
        assert not isinstance(self.examples, Stream)
        try:
            example = self.examples[index]
        except DataError as error:
            return self._fault(self._key(index), error)
        return self.row(example)

    def _key(self, index: int) -> str:
        """Return what names a row that cannot be read: its key, where the rows tell one without it."""
        key = getattr(self.examples, "key", None)
        if key is not None:
            with suppress(DataError):
                return str(key(index))
        return f"row {index + 1}"

    def _length(self, index: int) -> int:
        assert not isinstance(self.examples, Stream)
        try:
            return self.length(self.examples[index])
        except DataError:
            return 0  # the row's own turn tells

    def _fault(self, key: str, error: DataError) -> Fault:
        pass_over(error, self.on_error)
        told = str(error).removeprefix(f"`{key}`: ")
        if told.startswith(f"`{key}` ("):
            told = told.removeprefix(f"`{key}` (").replace("):", ":", 1)
        return Fault(key, told)


def _will_change(made: Row | Fault) -> bool:
    """Return whether a row will come with features that are not known yet."""
    return isinstance(made, Row) and any(map(is_pending, made.inputs.values()))


def size_of(made: Row | Fault) -> int:
    """Return about how many bytes a prepared row holds."""
    if isinstance(made, Fault):
        return OVERHEAD
    tensors = [*made.targets.values(), *(t for items in made.inputs.values() for item in items for t in item.values())]
    size = sum(tensor.untyped_storage().nbytes() + OVERHEAD for tensor in tensors)
    if made.example is not None:
        size += OVERHEAD + _length(made.example.target)
        size += sum(_length(item) for items in made.example.inputs.values() for item in items)
    return size


def _length(item: Any) -> int:
    if isinstance(item, Mapping):
        return sum(_length(value) for value in item.values())
    if isinstance(item, list | tuple):
        return sum(_length(value) for value in item)
    return len(item) if isinstance(item, str | bytes | bytearray) else 64

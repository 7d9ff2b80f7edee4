"""The options of captioned pictures: COCO, Karpathy's split, Flickr; and of VQA. Imports neither torch nor pyarrow."""

from __future__ import annotations

from dataclasses import dataclass, field
from string import Formatter
from typing import Any, ClassVar

from mmlm_core.errors import OptionError
from mmlm_data.options import FileOptions

__all__ = ["CocoCaptionsOptions", "FlickrOptions", "KarpathyOptions", "VqaOptions"]


@dataclass
class CocoCaptionsOptions(FileOptions):
    """COCO captions, as `captions_train2017.json`: a row a picture, with all of its captions."""

    own_columns: ClassVar[tuple[str, ...]] = ("image", "captions", "caption", "id")

    path: str | None = None
    """The JSON file, as `annotations/captions_train2017.json`."""
    images: str | None = None
    """The folder of the pictures, relative to the file's; without one, `train2017` for `captions_train2017.json`,
    beside the file or its folder."""
    inputs: dict[str, Any] = field(default_factory=lambda: {"image": "image"})
    """The column of each modality. Columns: `image`, `captions`, `caption` (the first), `id`."""
    target: str | None = "captions"
    """The column that the model is to learn to say."""


@dataclass
class KarpathyOptions(FileOptions):
    """Karpathy's splits, as `dataset_coco.json` or `dataset_flickr8k.json`: a row a picture, with all its captions."""

    own_columns: ClassVar[tuple[str, ...]] = ("image", "captions", "caption", "split")

    path: str | None = None
    """The JSON file. It says the split of each picture; `restval` is for training."""
    images: str | None = None
    """The folder of the pictures, relative to the file's; without one, `images`, or the file's own."""
    inputs: dict[str, Any] = field(default_factory=lambda: {"image": "image"})
    """The column of each modality. Columns: `image`, `captions`, `caption` (the first), `split`."""
    target: str | None = "captions"
    """The column that the model is to learn to say."""


@dataclass
class FlickrOptions(FileOptions):
    """Flickr8k and Flickr30k token files, as `Flickr8k.token.txt`: a row a picture, with all of its captions."""

    own_columns: ClassVar[tuple[str, ...]] = ("image", "captions", "caption", "split")

    path: str | None = None
    """The file, whose lines read `NAME.jpg#0<tab>CAPTION`. `Flickr_8k.trainImages.txt` and its like beside it say the
    splits."""
    images: str | None = None
    """The folder of the pictures, relative to the file's; without one, `Flicker8k_Dataset`, `flickr30k-images` or
    `Images`, or the file's own."""
    inputs: dict[str, Any] = field(default_factory=lambda: {"image": "image"})
    """The column of each modality. Columns: `image`, `captions`, `caption` (the first)."""
    target: str | None = "captions"
    """The column that the model is to learn to say."""


@dataclass
class VqaOptions(FileOptions):
    """VQA v2: questions about pictures, each with the answers of ten people."""

    own_columns: ClassVar[tuple[str, ...]] = (
        "image",
        "question",
        "answers",
        "answer",
        "question_type",
        "answer_type",
        "id",
    )

    path: str | None = None
    """The file of questions, as `v2_OpenEnded_mscoco_train2014_questions.json`."""
    annotations: str | None = None
    """The file of answers, relative to that of the questions; without one, the file of the usual name beside it:
    `v2_mscoco_train2014_annotations.json`."""
    images: str | None = None
    """The folder of the pictures, relative to the file's; without one, `train2014` beside the file or its folder."""
    image_name: str = "COCO_{subset}_{id:012d}.jpg"
    """The name of a picture: `id` is its number, `subset` what the file says, as `train2014`."""
    inputs: dict[str, Any] = field(default_factory=lambda: {"image": "image", "text": "question"})
    """The column of each modality. Columns: `image`, `question`, `answers`, `answer` (the most frequent),
    `question_type`, `answer_type`, `id`."""
    target: str | None = "answers"
    """The column that the model is to learn to say."""

    def __post_init__(self) -> None:
        """Check the name of pictures too."""
        super().__post_init__()
        try:
            places = {name for _, name, _, _ in Formatter().parse(self.image_name) if name is not None}
            if not places <= {"id", "subset"}:  # nor what an object has, as `{id[0]}`
                raise ValueError
            self.image_name.format(id=1, subset="train2014")
        except (KeyError, IndexError, ValueError, OverflowError, MemoryError):
            raise OptionError(
                "`image_name` must have no other places than `{id}` and `{subset}`, as `{id:012d}.jpg`, "
                f"not `{self.image_name}`."
            ) from None

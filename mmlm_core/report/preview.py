"""A page that shows rows as the model gets them, before it is trained."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

from mmlm_core.data import Collator, Draw, Fault, Prepared, Row, Rows
from mmlm_core.examination import every_row
from mmlm_core.files import write_text
from mmlm_core.interfaces import Stream
from mmlm_core.media import opened, picture_url
from mmlm_core.preparation import Preparation
from mmlm_core.report.gallery import LONGEST
from mmlm_core.samples import is_drawn, said, show_input
from mmlm_core.settings import OnError
from mmlm_core.types import Batch, Example, Items
from mmlm_core.views import PictureView, Token, View

__all__ = ["write_preview"]

TRAIN = "train"

SOUNDS = {
    b"RIFF": "audio/wav",
    b"fLaC": "audio/flac",
    b"OggS": "audio/ogg",
    b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg",
}
"""How files of sounds begin, and what a browser calls them."""

LABEL = 40
"""Characters up to which a target stands out."""

WIDEST = 360
"""Pixels of a shown picture's longer side at most; small pictures are enlarged to half of that by the browser."""


def write_preview(path: Path, preparation: Preparation, split: str, count: int, command: str) -> None:
    """Write a page with some rows of a split, drawn by the run's seed; of a stream, the first.

    Training rows are augmented as in the first epoch, others are not.

    Args:
        path: The page.
        preparation: The composed model with its data.
        split: Whose rows.
        count: How many.
        command: The overrides, to be shown.

    Raises:
        DataError: None of the rows can be used.
    """
    composition, model = preparation.composition, preparation.model
    seed = composition.settings.run.seed
    given = preparation.source.read(split)
    processors, targets = model.processors(), model.head.target_processor()
    rows = _drawn(given, Prepared(given, processors, targets, on_error=OnError.SKIP), count, seed)
    draw = Draw(range(len(rows))) if split == TRAIN else None
    batch = Collator(processors, targets, seed if split == TRAIN else None)(rows, draw)
    shown = {name: _by_row(batch.inputs[name], processors[name].views(batch.inputs[name].tensors), batch.size)
             for name in processors}  # fmt: skip
    said_now = [] if targets is None else targets.views(batch.targets)
    packed = bool(said_now) and len(said_now) != batch.size
    cards = []
    for row, example in enumerate(batch.examples):
        parts = [_modality(name, shown[name][row], example, processors[name]) for name in processors]
        target = _target(said_now[row] if said_now and not packed else None, example, model.head)
        cards.append(f"<article><h3>{escape(example.key)}</h3>{''.join(parts)}{target}</article>")
    body = [_header(preparation, split, batch, command), f'<div class="rows">{"".join(cards)}</div>']
    if packed:
        texts = "".join(f"<article>{_view(view)}</article>" for view in said_now)
        body.append(f"<section><h2>Targets, packed into {len(said_now)} rows</h2>{texts}</section>")
    faults = [row for row in rows if isinstance(row, Fault)]
    if faults:
        lines = "".join(f"<tr><th>{escape(key)}</th><td>{escape(reason)}</td></tr>" for key, reason in faults)
        body.append(f'<section><h2>Rows that cannot be used</h2><table class="facts">{lines}</table></section>')
    style = "".join(files("mmlm_core.report").joinpath(name).read_text(encoding="utf-8")
                    for name in ("style.css", "preview.css"))  # fmt: skip
    write_text(
        path,
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(split)} · mmlm</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; media-src data:; '
        f"style-src 'unsafe-inline'\"><style>{style}</style></head>\n"
        f"<body><main>{''.join(body)}</main></body></html>\n",
    )


def _drawn(rows: Rows, prepared: Prepared, count: int, seed: int) -> list[Row | Fault]:
    if isinstance(rows, Stream):
        return list(islice(every_row(rows, prepared), count))
    return [prepared[index] for index in sorted(random.Random(seed).sample(range(len(rows)), min(count, len(rows))))]


def _by_row(items: Items, views: Sequence[View], size: int) -> list[list[View]]:
    """Return the views of each row's items."""
    rows: list[list[View]] = [[] for _ in range(size)]
    owners = range(len(views)) if items.rows is None else items.rows.tolist()
    for row, view in zip(owners, views, strict=False):
        if 0 <= row < size:
            rows[row].append(view)
    return rows


def _header(preparation: Preparation, split: str, batch: Batch, command: str) -> str:
    choices = preparation.composition.choices
    path = [f"{slot.rpartition('/')[2]}={choice.component.name}" for slot, choice in choices.items()
            if slot in ("data", "tokenizer", "head") or slot.startswith("encoder/")]  # fmt: skip
    chips = "".join(f"<span>{escape(part)}</span>" for part in path)
    how = "as in the first epoch of a training" if split == TRAIN else "without augmentation"
    key = ('<p class="legend"><span class="token scored">counted by the loss</span><span class="token">read only</span>'
           '<span class="token special">special</span></p>')  # fmt: skip
    called = f"<pre>mmlm data preview {escape(command)}</pre>" if command else ""
    return (f"<header><h1>What the model gets</h1><p class=\"path\">{chips}</p><p class=\"facts\">{batch.size} rows of "
            f"<code>{escape(split)}</code>, {how}</p>{key}{called}</header>")  # fmt: skip


def _modality(name: str, views: Sequence[View], example: Example, processor: Any) -> str:
    """Return the items of one modality of a row: as the model gets them, or else as they are."""
    items = list(example.inputs.get(name) or ())
    players = "".join(filter(None, map(_player, items)))
    shown = "".join(map(_view, views)) or "".join(_raw(name, item, processor) for item in items)
    if not (shown or players):
        shown = '<p class="none">none</p>'
    return f'<div class="part"><h4>{escape(name)}</h4>{shown}{players}</div>'


def _target(view: View | None, example: Example, head: Any) -> str:
    if view is not None:
        return f'<div class="part"><h4>target</h4>{_view(view)}</div>'
    target = head.shown(example.target)
    if target is None:
        return ""
    kind = ' class="label"' if len(said(target)) < LABEL else ""
    told = f'<img src="{escape(target)}" alt="">' if is_drawn(target) else f"<p{kind}>{_shortened(said(target))}</p>"
    return f'<div class="part"><h4>target</h4>{told}</div>'


def _view(view: View) -> str:
    if isinstance(view, PictureView):
        return _picture(view)
    return f'<p class="tokens">{"".join(map(_token, view.tokens))}</p>'


def _token(token: Token) -> str:
    kinds = " ".join(filter(None, ["token", "special" if token.special else "", "scored" if token.scored else "",
                                   "begins" if token.begins else ""]))  # fmt: skip
    text = escape(token.text.replace("\n", "⏎") or "∅")
    return f'<span class="{kinds}">{text}</span>'


def _picture(view: PictureView) -> str:
    picture = view.picture.copy()
    kind = "wide" if view.stretches else "small" if max(picture.size) < WIDEST // 2 else ""
    picture.thumbnail((WIDEST, WIDEST))
    return f'<img class="{kind}" src="{picture_url(picture)}" alt="">'


def _raw(name: str, item: Any, processor: Any) -> str:
    shown: Mapping[str, str] = show_input(name, item, processor)
    if shown["kind"] == "picture":
        return f'<img src="{escape(shown["value"])}" alt="">'
    return f"<p>{_shortened(shown['value'])}</p>"


def _shortened(text: str) -> str:
    return escape(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def _player(item: Any) -> str:
    """Return a player of a sound; empty where an item is none that a browser plays."""
    content = _bytes(item)
    kind = next((kind for start, kind in SOUNDS.items() if content.startswith(start)), None)
    if kind is None or (kind == "audio/wav" and content[8:12] != b"WAVE"):
        return ""
    url = f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
    return f'<audio controls preload="metadata" src="{url}"></audio>'


def _bytes(item: Any) -> bytes:
    item = opened(item)
    if isinstance(item, Mapping):
        if item.get("array") is not None:
            return _wav(item["array"], int(item.get("sampling_rate") or 16000))
        item = item.get("bytes") or item.get("path")
    if isinstance(item, bytes | bytearray):
        return bytes(item)
    if isinstance(item, str | Path) and len(str(item)) < 1000 and "\n" not in str(item):
        try:
            return Path(item).read_bytes() if Path(item).is_file() else b""
        except (OSError, ValueError):
            return b""
    return b""


def _wav(array: Any, rate: int) -> bytes:
    """Return samples as a WAV file of one channel and 16 bit."""
    import io
    import wave

    import numpy as np

    samples = np.asarray(array)
    samples = samples.mean(1) if samples.ndim == 2 else samples
    if samples.dtype.kind == "f":
        samples = np.clip(samples, -1, 1) * 32767
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.round().astype("<i2").tobytes())
    return stream.getvalue()

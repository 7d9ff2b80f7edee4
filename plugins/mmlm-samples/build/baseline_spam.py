"""Print what a linear model reaches on `spam.parquet`: words and their pairs, logistic regression."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline

FILE = Path(__file__).parents[1] / "mmlm_samples" / "data" / "spam.parquet"


def main(path: Path = FILE) -> None:
    """Fit on the training split, score on the two others."""
    table = pq.read_table(path)
    rows: dict[str, list[tuple[str, str]]] = {split: [] for split in ("train", "validation", "test")}
    for row in table.to_pylist():
        rows[row["split"]].append((row["text"], row["label"]))
    texts, labels = zip(*rows["train"], strict=True)
    model = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2)), LogisticRegression(C=30.0, max_iter=1000)
    )
    model.fit(texts, labels)
    for split in ("validation", "test"):
        texts, labels = zip(*rows[split], strict=True)
        predictions = model.predict(texts)
        majority = max(labels.count(label) for label in set(labels)) / len(labels)
        accuracy = accuracy_score(labels, predictions)
        macro = f1_score(labels, predictions, average="macro")
        print(f"{split}: accuracy {accuracy:.3f}, macro-F1 {macro:.3f} (always the larger class: {majority:.3f})")


if __name__ == "__main__":
    main()

"""A plain baseline for a run, on the run's own rows: `python examples/baselines.py runs/x [test]`.

Classification of texts: TF-IDF and logistic regression (scikit-learn). Language modelling: an interpolated trigram
model (Witten-Bell, nltk) over the run's own tokens, so that both perplexities count the same things.
"""

import json
import math
import sys
from pathlib import Path

import mmlm_core
from mmlm_core.interfaces import Tokenizer
from mmlm_core.preparation import make_source, make_tokenizer
from mmlm_core.types import Example


def classify(train: list[Example], test: list[Example]) -> dict[str, float]:
    """Return accuracy and macro-F1 of TF-IDF and logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.pipeline import make_pipeline

    def texts(rows: list[Example]) -> list[str]:
        return [" ".join(row.inputs["text"]) for row in rows]

    model = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)), LogisticRegression(C=10, max_iter=1000)
    )
    model.fit(texts(train), [row.target for row in train])
    answers, given = model.predict(texts(test)), [row.target for row in test]
    return {"accuracy": accuracy_score(given, answers), "macro_f1": f1_score(given, answers, average="macro")}


def foretell(train: list[Example], test: list[Example], tokenizer: Tokenizer) -> dict[str, float]:
    """Return the perplexity of a token, the end of each text included, under a trigram model."""
    from nltk.lm import Vocabulary, WittenBellInterpolated
    from nltk.util import everygrams

    def padded(row: Example) -> list[str]:
        return [
            str(token) for token in (tokenizer.begin, tokenizer.begin, *tokenizer.encode(row.target), tokenizer.end)
        ]

    model = WittenBellInterpolated(3, vocabulary=Vocabulary([str(token) for token in range(tokenizer.vocabulary)]))
    model.fit([list(everygrams(padded(row), max_len=3)) for row in train])
    surprise, tokens, floor = 0.0, 0, 1 / tokenizer.vocabulary
    for row in test:
        text = padded(row)
        for place in range(2, len(text)):
            # a token that training never showed has no probability here; it gets a uniform share instead
            surprise -= math.log(max(model.score(text[place], text[place - 2 : place]), floor * 1e-2))
            tokens += 1
    return {"perplexity": math.exp(surprise / tokens)}


def main(run: str, split: str = "test") -> None:
    """Print the run's figures and the baseline's."""
    predictor = mmlm_core.load(run)
    composition = predictor.composition
    source = make_source(composition)
    train, test = list(source.read("train")), list(source.read(split))
    if composition["head"].component.name == "classification":
        baseline = classify(train, test)
    else:
        tokenizer = make_tokenizer(composition)
        tokenizer.load(Path(run) / "tokenizer")
        baseline = foretell(train, test, tokenizer)
    metrics = json.loads((Path(run) / f"metrics_{split}.json").read_text())["metrics"]
    for name, value in baseline.items():
        sys.stdout.write(f"{name}: {metrics[name]:.4f} (the run), {value:.4f} (the baseline)\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

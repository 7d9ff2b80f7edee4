"""A plain baseline for a run, on the run's own rows: `python examples/baselines.py runs/x [test]`.

Classification of texts: TF-IDF and logistic regression (scikit-learn). Language modelling: an interpolated trigram
model (Kneser-Ney, nltk) over the run's own tokens, so that both perplexities count the same things. Texts out of
texts, as translations: a table of words (IBM's model 1, nltk), and the target of the nearest source. Questions about
pictures, or captions: the most frequent answer, of each kind, and to each question; the run's figures by kind too.
Summaries: the first sentence, and its first words. Tags: the most frequent one of each word.
"""

import json
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from statistics import median

import mmlm_core
from mmlm_core.interfaces import Tokenizer
from mmlm_core.preparation import make_source, make_tokenizer
from mmlm_core.types import Example

DISCOUNT = 0.75
"""What is taken from each count, for what was not seen."""

LETTERS = "\u3040-\u30ff\u4e00-\u9fff"
"""Of Chinese and Japanese."""


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
    """Return the perplexity of a token, the end of each text included, under a trigram model (Kneser & Ney 1995)."""
    from nltk.lm import Vocabulary
    from nltk.lm.models import InterpolatedLanguageModel
    from nltk.lm.smoothing import KneserNey
    from nltk.util import everygrams

    class Kept(KneserNey):  # type: ignore[misc]
        """nltk's, which would go through all trigrams for each token, with the counts of continuations kept."""

        @cached_property
        def _continuations(self) -> dict[tuple[str, ...], Counter[str]]:
            found: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
            for order in range(2, self._order + 1):
                for context, words in self.counts[order].items():
                    found[context[1:]].update(words.keys())
            return found

        @cached_property
        def _totals(self) -> dict[tuple[str, ...], int]:
            return {context: words.total() for context, words in self._continuations.items()}

        def _continuation_counts(self, word: str, context: tuple[str, ...] = ()) -> tuple[int, int]:
            return self._continuations[context][word], self._totals[context]

    def padded(row: Example) -> list[str]:
        return [
            str(token) for token in (tokenizer.begin, tokenizer.begin, *tokenizer.encode(row.target), tokenizer.end)
        ]

    vocabulary = Vocabulary([str(token) for token in range(tokenizer.vocabulary)])
    model = InterpolatedLanguageModel(Kept, 3, params={"order": 3, "discount": DISCOUNT}, vocabulary=vocabulary)
    model.fit([list(everygrams(padded(row), max_len=3)) for row in train])
    surprise, tokens, floor = 0.0, 0, 1 / tokenizer.vocabulary
    for row in test:
        text = padded(row)
        for place in range(2, len(text)):
            # a token that training never showed has no probability here; it gets a uniform share instead
            surprise -= math.log(max(model.score(text[place], text[place - 2 : place]), floor * 1e-2))
            tokens += 1
    return {"perplexity": math.exp(surprise / tokens)}


def tag(train: list[Example], test: list[Example]) -> dict[str, float]:
    """Return the share of right tags where each word has the one that it has most often in the training."""
    from mmlm_heads.tag_targets import tags_of

    def words(rows: list[Example]) -> Iterator[tuple[str, str]]:
        for row in rows:
            yield from zip(" ".join(row.inputs["text"]).split(), tags_of(row.target), strict=True)

    often: dict[str, Counter[str]] = defaultdict(Counter)
    for word, its in words(train):
        often[word][its] += 1
    usual = Counter(its for _, its in words(train)).most_common(1)[0][0]
    right = [(often[word].most_common(1)[0][0] if word in often else usual) == its for word, its in words(test)]
    return {"accuracy": sum(right) / len(right)}


def translate(train: list[Example], test: list[Example]) -> dict[str, list[str]]:
    """Return what plain translators write: always the same, word by word, and the target of the nearest source."""
    usual = Counter(row.target for row in train).most_common(1)[0][0]
    targets = {_text(row): row.target for row in train}
    return {
        "the most frequent target": [usual] * len(test),
        "a table of words": _word_by_word(train, test),
        "the nearest source": [targets[get_close_matches(_text(row), targets, 1, 0)[0]] for row in test],
    }


def _word_by_word(train: list[Example], test: list[Example]) -> list[str]:
    """Write for each word its translation by IBM's model 1 (Brown et al. 1993; nltk), and an unknown word as it is."""
    from nltk.translate import AlignedSent, IBMModel1

    pairs = [AlignedSent(_split(row.target), _split(_text(row))) for row in train]
    model = IBMModel1(pairs, 5)
    table: dict[str, tuple[float, str]] = {}
    for target, sources in model.translation_table.items():
        for source, share in sources.items():
            if source is not None:
                table[source] = max(table.get(source, (0.0, source)), (share, target))
    return [_joined([table.get(word, (0.0, word))[1] for word in _split(_text(row))]) for row in test]


def _split(text: str) -> list[str]:
    """Return the words; of Chinese and Japanese, the characters."""
    return re.findall(rf"[{LETTERS}]|[^\s{LETTERS}]+", text)


def _joined(words: list[str]) -> str:
    return re.sub(rf"(?<=[{LETTERS}]) (?=[{LETTERS}])", "", " ".join(words))


def answer(train: list[Example], test: list[Example]) -> dict[str, list[str]]:
    """Return the most frequent answers of training: of all, to a row's kind, and to its very question."""

    def usual(by: Callable[[Example], str]) -> list[str]:
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for row in train:
            counts[by(row)][row.target] += 1
            counts[""][row.target] += 1
        return [(counts.get(by(row)) or counts[""]).most_common(1)[0][0] for row in test]

    return {
        "the most frequent answer": usual(lambda row: ""),
        "the most frequent of the kind": usual(kind),
        "the most frequent to the question": usual(_text),
    }


def sum_up(train: list[Example], test: list[Example]) -> dict[str, list[str]]:
    """Return each text's first sentence (Nenkova 2005 calls that hard to beat for news), and the words that begin it.

    Of these there are as many as a target of training has, in the middle.
    """
    usual = int(median(len(row.target.split()) for row in train))
    return {
        "the first sentence": [re.split(r"(?<=[.!?。！？])\s", _text(row))[0] for row in test],
        f"the first {usual} words": [" ".join(_text(row).split()[:usual]) for row in test],
    }


def kind(row: Example) -> str:
    """Return the kind of a row that says it in its key, as `emoji.parquet:17:colour`; else nothing."""
    parts = row.key.split(":")
    return parts[2].split(".")[0] if len(parts) > 2 else ""


def _text(row: Example) -> str:
    return " ".join(row.inputs.get("text") or ())


def compare(
    run: Path,
    answers: dict[str, list[str]],
    test: list[Example],
    measure: Callable[..., dict[str, float]],
    names: Sequence[str],
) -> None:
    """Print the figures of the run's predictions and of each baseline's, and those by kind where there are kinds."""
    from sacrebleu.metrics.chrf import CHRF

    lines = map(json.loads, (run / "predictions.jsonl").read_text(encoding="utf-8").splitlines())
    given = {line["key"]: line["prediction"] for line in lines}
    if given.keys() != {row.key for row in test}:
        raise SystemExit(f"`{run}` has the predictions of other rows: run `mmlm eval {run}` first.")
    answers = {"the run": [given[row.key] for row in test], **answers}
    kinds = sorted({kind(row) for row in test} - {""})
    for part in ["", *kinds]:
        places = [place for place, row in enumerate(test) if not part or kind(row) == part]
        references = [test[place].target for place in places]
        sys.stdout.write(f"{part or 'all'}: {len(places)} rows\n")
        for who, said in answers.items():
            chosen = [said[place] for place in places]
            figures = measure([{"prediction": text} for text in chosen], references)
            figures["chrf"] = CHRF().corpus_score(chosen, [references]).score
            told = ", ".join(f"{name} {figures[name]:.3f}" for name in names)
            sys.stdout.write(f"  {who}: {told}\n")


def main(run: str, split: str = "test") -> None:
    """Print the run's figures and the baseline's."""
    predictor = mmlm_core.load(run)
    composition = predictor.composition
    source = make_source(composition)
    train, test = list(source.read("train")), list(source.read(split))
    head = composition["head"].component.name
    if head in ("captioning", "translation", "answering"):
        pictures = "image" in train[0].inputs
        answers = answer(train, test) if pictures else translate(train, test)
        names = list(dict.fromkeys([*predictor.model.head.metrics([{"prediction": "a"}], ["a"]), "chrf"]))
        compare(Path(run), answers, test, predictor.model.head.metrics, names)
        return
    if head == "summarization":
        compare(Path(run), sum_up(train, test), test, predictor.model.head.metrics, ["rouge_1", "rouge_2", "rouge_l"])
        return
    if head == "classification":
        baseline = classify(train, test)
    elif head == "tagging":
        baseline = tag(train, test)
    else:
        tokenizer = make_tokenizer(composition)
        tokenizer.load(Path(run) / "tokenizer")
        baseline = foretell(train, test, tokenizer)
    metrics = json.loads((Path(run) / f"metrics_{split}.json").read_text())["metrics"]
    for name, value in baseline.items():
        sys.stdout.write(f"{name}: {metrics[name]:.4f} (the run), {value:.4f} (the baseline)\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

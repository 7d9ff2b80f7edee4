"""Trains a unigram language model of pieces by expectation maximisation; the same words always give the same pieces.

After T. Kudo, "Subword Regularization" (2018), and SentencePiece, its implementation: begin with frequent substrings,
estimate their probabilities, drop those whose loss would cost least, and repeat until few enough are left.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping

__all__ = ["train_unigram"]

_LONGEST_PIECE = 16  # characters
_LONGEST_WORD = 24  # characters; longer ones are cut for the training, so that no product of probabilities underflows
_MOST_CHARACTERS = 500_000  # of distinct words, the most frequent first: bounds time and memory
_SEEDS = 5  # pieces to begin with, as a multiple of those wanted
_KEPT = 0.7  # share of the pieces that outlives a round
_LEAST = 0.5  # expected occurrences below which a piece is dropped


def train_unigram(counts: Mapping[str, int], size: int) -> list[tuple[str, float]]:
    """Return pieces with their log-probabilities, the likeliest first.

    Args:
        counts: How often each word occurs.
        size: Pieces at most; every character is a piece, so there are more where there are more characters.
    """
    characters: Counter[str] = Counter()
    for word, count in counts.items():
        for character in word:
            characters[character] += count
    words = _most_frequent(counts)
    probabilities = _seeds(words, characters, size)
    while True:
        expected = _expect(words, probabilities)
        probabilities = _maximize(_expect(words, _maximize(expected, characters)), characters)
        if len(probabilities) <= max(size, len(characters)):
            break
        probabilities = _prune(probabilities, expected, max(size, int(_KEPT * len(probabilities))))
    scored = [(piece, round(math.log(probability), 6)) for piece, probability in probabilities.items()]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))


def _most_frequent(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    parts: Counter[str] = Counter()
    for word, count in counts.items():
        for start in range(0, len(word), _LONGEST_WORD):
            parts[word[start : start + _LONGEST_WORD]] += count
    chosen, characters = [], 0
    for word, count in sorted(parts.items(), key=lambda pair: (-pair[1], pair[0])):
        characters += len(word)
        if characters > _MOST_CHARACTERS:
            break
        chosen.append((word, count))
    return chosen


def _seeds(words: list[tuple[str, int]], characters: Mapping[str, int], size: int) -> dict[str, float]:
    """Return the substrings that cover most, and every character, with probabilities by their frequency."""
    frequencies: Counter[str] = Counter()
    for word, count in words:
        for start in range(len(word) - 1):
            for stop in range(start + 2, min(start + _LONGEST_PIECE, len(word)) + 1):
                frequencies[word[start:stop]] += count
    covered = [(-count * len(piece), piece) for piece, count in frequencies.items() if count > 1]
    chosen = sorted(covered)[: _SEEDS * size]
    weights = {**dict(sorted(characters.items())), **{piece: -cover / len(piece) for cover, piece in chosen}}
    return _normalized(weights)


def _maximize(expected: Mapping[str, float], characters: Mapping[str, int]) -> dict[str, float]:
    """Return the pieces' probabilities, without those that hardly occur.

    Half an occurrence is taken off, as exp(digamma(count)) does in the variational estimate: rare pieces lose most.
    """
    kept = {piece: count for piece, count in expected.items() if count > _LEAST or piece in characters}
    weights = {piece: max(kept.get(piece, 0.0) - 0.5, 0.01) for piece in sorted({*kept, *characters})}
    return _normalized(weights)


def _expect(words: list[tuple[str, int]], probabilities: Mapping[str, float]) -> dict[str, float]:
    """Return how often each piece is expected to occur, over all splits of each word (forward-backward)."""
    expected: dict[str, float] = defaultdict(float)
    get = probabilities.get
    for word, count in words:
        length = len(word)
        forward = [1.0] + [0.0] * length
        edges = []
        for start in range(length):
            reached = forward[start]
            for stop in range(start + 1, min(start + _LONGEST_PIECE, length) + 1):
                piece = word[start:stop]
                probability = get(piece)
                if probability is not None:
                    edges.append((start, stop, piece, probability))
                    forward[stop] += reached * probability
        if forward[length] == 0.0:  # an underflow: pieces of no weight
            continue
        backward = [0.0] * length + [count / forward[length]]
        for start, stop, piece, probability in reversed(edges):
            onward = probability * backward[stop]
            backward[start] += onward
            expected[piece] += forward[start] * onward
    return expected


def _prune(probabilities: dict[str, float], expected: Mapping[str, float], size: int) -> dict[str, float]:
    """Return the pieces without those that cost least: whose occurrences are nearly as likely split otherwise."""
    logs = {piece: math.log(probability) for piece, probability in probabilities.items()}
    costs = [
        (-expected.get(piece, 0.0) * (logs[piece] - _best_without(piece, logs)), piece)
        for piece in probabilities
        if len(piece) > 1
    ]
    single = len(probabilities) - len(costs)
    dropped = {piece for _, piece in sorted(costs)[max(size - single, 0) :]}
    return _normalized({piece: value for piece, value in probabilities.items() if piece not in dropped})


def _best_without(piece: str, logs: Mapping[str, float]) -> float:
    """Return the log-probability of the best split of a piece into other pieces (Viterbi)."""
    length = len(piece)
    best = [0.0] + [-math.inf] * length
    for start in range(length):
        for stop in range(start + 1, length + 1):
            if stop - start < length:
                log = logs.get(piece[start:stop])
                if log is not None and best[start] + log > best[stop]:
                    best[stop] = best[start] + log
    return best[length]


def _normalized(weights: dict[str, float]) -> dict[str, float]:
    total = math.fsum(weights.values())
    return {piece: weight / total for piece, weight in weights.items()}

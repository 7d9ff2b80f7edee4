"""Metrics of translations, summaries, answers, transcripts and dialogues, against the libraries that define them."""

import math
import random
import re

import jiwer
import pytest
import sacrebleu
from rouge_score import rouge_scorer
from torchmetrics.functional.text import squad

from mmlm_writing.metrics.answers import answer_words, squad_exact_match, squad_f1, vqa_accuracy, vqa_answer
from mmlm_writing.metrics.errors import transcript_metrics
from mmlm_writing.metrics.likelihood import perplexity
from mmlm_writing.metrics.rouge import ROUGES, rouge
from mmlm_writing.metrics.sacre import bleu, chrf

WANTED = ["the cat sat on the mat", "Two dogs, playing in the park.", "He doesn't know", "running shoes for runners"]
GIVEN = ["a cat sat on a mat", "two dogs play in the park", "he does not know", "shoes for running"]


# translation


@pytest.mark.parametrize("tokenizer", ["13a", "zh", "char", "intl", "none"])
def test_bleu_equals_sacrebleu_with_each_tokenizer(tokenizer):
    expected = sacrebleu.corpus_bleu(GIVEN, [WANTED], tokenize=tokenizer).score
    assert bleu(GIVEN, [[text] for text in WANTED], tokenizer) == expected > 0


@pytest.mark.parametrize(
    ("reference", "tokenizer"),
    [
        ("我爱吃苹果和梨", "zh"),
        ("私はりんごが好きです", "char"),
        ("Ich mag Äpfel sehr", "13a"),
        ("苹果 iPhone 手机很好用", "zh"),
    ],
)
def test_bleu_splits_by_the_script_of_the_references(reference, tokenizer):
    given = reference[:-1] + "x"
    expected = sacrebleu.corpus_bleu([given], [[reference]], tokenize=tokenizer, force=True).score
    assert bleu([given], [[reference]]) == expected


@pytest.mark.parametrize("order", [0, 2])
def test_chrf_equals_sacrebleu_with_one_reference_and_with_several(order):
    expected = sacrebleu.corpus_chrf(GIVEN, [WANTED], word_order=order).score
    assert chrf(GIVEN, [[text] for text in WANTED], order) == expected
    others = ["my cat is on a mat", None, "he knows not", None]
    several = [[text] if other is None else [text, other] for text, other in zip(WANTED, others, strict=True)]
    assert chrf(GIVEN, several, order) == sacrebleu.corpus_chrf(GIVEN, [WANTED, others], word_order=order).score


# summarization


@pytest.mark.parametrize("stem", [False, True])
def test_rouge_equals_rouge_score(stem):
    scorer = rouge_scorer.RougeScorer(list(ROUGES.values()), use_stemmer=stem)
    scores = [scorer.score(wanted, given) for wanted, given in zip(WANTED, GIVEN, strict=True)]
    measured = rouge(GIVEN, [[text] for text in WANTED], list(ROUGES), stem)
    for name, theirs in ROUGES.items():
        assert measured[name] == pytest.approx(sum(score[theirs].fmeasure for score in scores) / 4, abs=1e-12)


def test_stems_count_only_where_they_are_asked_for():
    assert rouge(["runners"], [["running"]], ["rouge_1"]) == {"rouge_1": 0}
    assert rouge(["cats"], [["cat"]], ["rouge_1"], stem=True) == {"rouge_1": 1}


# answering


def test_exact_match_and_f1_equal_squads():
    random.seed(1)
    words = ["The", "cat", "a", "dog's", "Dog", "(red)", "x-ray", "42", "an", "of", "it."]
    answers = [" ".join(random.choices(words, k=random.randint(1, 4))) for _ in range(200)]
    references = [
        [" ".join(random.choices(words, k=random.randint(1, 4))) for _ in range(random.randint(1, 3))] for _ in answers
    ]
    references[0], answers[0] = ["the"], "a"  # nothing is left of either
    given = [{"prediction_text": answer, "id": str(row)} for row, answer in enumerate(answers)]
    wanted = [
        {"answers": {"text": texts, "answer_start": [0] * len(texts)}, "id": str(row)}
        for row, texts in enumerate(references)
    ]
    expected = squad(given, wanted)
    assert 100 * squad_exact_match(answers, references) == pytest.approx(expected["exact_match"].item(), rel=1e-5)
    assert 100 * squad_f1(answers, references) == pytest.approx(expected["f1"].item(), rel=1e-5)
    assert 0 < squad_exact_match(answers, references) < squad_f1(answers, references) < 1


def test_characters_of_chinese_and_japanese_are_words():
    assert answer_words("《猫》 和ねこ cat。") == ["猫", "和", "ね", "こ", "cat"]
    assert squad_f1(["红苹果"], [["苹果"]]) == pytest.approx(0.8)


def leave_one_out(answer, people):
    """The accuracy as its paper words it: the mean over all choices of all people but one."""
    people = [vqa_answer(one) for one in people]
    shares = []
    for left_out in range(len(people)):
        same = sum(one == vqa_answer(answer) for place, one in enumerate(people) if place != left_out)
        shares.append(min(1, same / 3))
    return sum(shares) / len(shares)


@pytest.mark.parametrize(("agreeing", "accuracy"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (10, 1)])
def test_the_accuracy_of_visual_question_answering_is_that_of_the_paper(agreeing, accuracy):
    people = ["red"] * agreeing + [f"other {number}" for number in range(10 - agreeing)]
    assert vqa_accuracy(["red"], [people]) == pytest.approx(accuracy)
    assert vqa_accuracy(["red"], [people]) == pytest.approx(leave_one_out("red", people))


def test_answers_are_compared_without_articles_signs_and_number_words():
    people = ["the 2 dogs"] * 5 + ["Two dogs."] * 4 + ["cats"]
    assert vqa_accuracy(["two dogs!", "cat"], [people, people]) == 0.5
    assert vqa_answer("It's 1,000.5 (or none), a well-known thing") == "its 1000.5 or 0 well known thing"


# transcription


def test_error_rates_equal_jiwer():
    measured = transcript_metrics(GIVEN, WANTED)
    assert measured == {"wer": jiwer.wer(WANTED, GIVEN), "cer": jiwer.cer(WANTED, GIVEN), "exact_match": 0}
    assert transcript_metrics(["", "b  c"], ["a", "b c"])["exact_match"] == 0.5
    assert transcript_metrics([], []) == {}


# dialogue


def test_perplexity_is_of_a_token_over_all_rows_and_of_none_where_nothing_was_scored():
    rows = [
        {"log_likelihood": -2 * math.log(8), "scored_tokens": 2},
        {"log_likelihood": -2 * math.log(2), "scored_tokens": 2},
    ]
    assert perplexity(rows) == pytest.approx({"perplexity": 4})
    assert perplexity([]) == perplexity([{"prediction": "a"}]) == {}


def test_the_docstrings_examples_hold():
    assert answer_words("The Don't-Panic, 猫脸!") == ["dontpanic", "猫", "脸"]
    assert re.sub(r"\s+", " ", vqa_answer("The two dogs, I don't know.")) == "2 dogs i dont know"

import logging
from collections import Counter

import pytest
import sacrebleu
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from rouge_score import rouge_scorer

from mmlm_writing.metrics.agreement import token_f1
from mmlm_writing.metrics.captions import caption_metrics

REFERENCES = [
    "a man riding a wave on top of a surfboard",
    "a bowl of fruit on a wooden table .",
    "woman firefighter: medium skin tone",
    "two dogs play with a red ball in the grass",
]
CAPTIONS = [
    "a man on a surfboard riding a wave",
    "a bowl of fruit sits on the table",
    "woman firefighter: medium skin tone",
    "the two brown dogs play with a ball in the park",
]
CHINESE_REFERENCES = ["女消防员: 中等肤色", "一个男人在海上冲浪", "我爱吃苹果"]
CHINESE_CAPTIONS = ["男消防员: 中等肤色", "一个男人在冲浪板上", "我爱吃红苹果"]


def test_bleu_equals_sacrebleu():
    assert caption_metrics(CAPTIONS, REFERENCES)["sacrebleu"] == sacrebleu.corpus_bleu(CAPTIONS, [REFERENCES]).score
    assert 0 < caption_metrics(CAPTIONS, REFERENCES)["sacrebleu"] < 100


def test_bleu_of_chinese_equals_sacrebleu_with_its_chinese_tokenizer():
    expected = sacrebleu.corpus_bleu(CHINESE_CAPTIONS, [CHINESE_REFERENCES], tokenize="zh").score
    assert caption_metrics(CHINESE_CAPTIONS, CHINESE_REFERENCES)["sacrebleu"] == expected
    assert expected > sacrebleu.corpus_bleu(CHINESE_CAPTIONS, [CHINESE_REFERENCES]).score


def test_bleu_of_japanese_is_by_characters():
    captions, references = ["ねこの顔をした人"], ["ねこの顔をしたいぬ"]
    expected = sacrebleu.corpus_bleu(captions, [references], tokenize="char").score
    assert caption_metrics(captions, references)["sacrebleu"] == expected


def test_the_bleu_tokenizer_can_be_chosen():
    expected = sacrebleu.corpus_bleu(CAPTIONS, [REFERENCES], tokenize="char").score
    assert caption_metrics(CAPTIONS, REFERENCES, "char")["sacrebleu"] == expected


def test_rouge_l_equals_rouge_score():
    scorer = rouge_scorer.RougeScorer(["rougeL"])
    scores = [scorer.score(ref, cap)["rougeL"].fmeasure for ref, cap in zip(REFERENCES, CAPTIONS, strict=True)]
    assert caption_metrics(CAPTIONS, REFERENCES)["rouge_l"] == pytest.approx(sum(scores) / 4, abs=1e-12)


def test_rouge_l_of_chinese_equals_rouge_score_over_characters():
    class Characters:
        def tokenize(self, text):
            return [character for character in text if character.isalpha()]

    scorer = rouge_scorer.RougeScorer(["rougeL"], tokenizer=Characters())
    pairs = zip(CHINESE_REFERENCES, CHINESE_CAPTIONS, strict=True)
    scores = [scorer.score(reference, caption)["rougeL"].fmeasure for reference, caption in pairs]
    measured = caption_metrics(CHINESE_CAPTIONS, CHINESE_REFERENCES)["rouge_l"]
    assert measured == pytest.approx(sum(scores) / 3, abs=1e-12)


def test_bleu_4_and_cider_equal_pycocoevalcap():
    split = {"firefighter:": "firefighter :"}
    wanted = {i: [_replace(text, split)] for i, text in enumerate(REFERENCES)}
    given = {i: [_replace(text, split)] for i, text in enumerate(CAPTIONS)}
    measured = caption_metrics(CAPTIONS, REFERENCES)
    assert measured["bleu_4"] == 100 * Bleu(4).compute_score(wanted, given, verbose=0)[0][3]
    assert measured["cider"] == Cider().compute_score(wanted, given)[0]
    assert 1 < measured["cider"] < 10


def test_bleu_4_and_cider_of_chinese_equal_pycocoevalcap_over_characters():
    wanted = {i: [" ".join(text.replace(" ", ""))] for i, text in enumerate(CHINESE_REFERENCES)}
    given = {i: [" ".join(text.replace(" ", ""))] for i, text in enumerate(CHINESE_CAPTIONS)}
    measured = caption_metrics(CHINESE_CAPTIONS, CHINESE_REFERENCES)
    assert measured["bleu_4"] == 100 * Bleu(4).compute_score(wanted, given, verbose=0)[0][3]
    assert measured["cider"] == Cider().compute_score(wanted, given)[0]


def test_several_references_a_row_and_not_the_same_number_in_each_equal_the_libraries():
    references = [[REFERENCES[0], "a surfer rides a big wave"], REFERENCES[1], (REFERENCES[3], "dogs playing"), "x y"]
    captions = [CAPTIONS[0], CAPTIONS[1], "two dogs play in the park", "x"]
    lists = [[r] if isinstance(r, str) else list(r) for r in references]
    streams = [[row[0] for row in lists], [row[1] if len(row) > 1 else None for row in lists]]
    measured = caption_metrics(captions, references)
    assert measured["sacrebleu"] == sacrebleu.corpus_bleu(captions, streams).score
    given = {i: [caption] for i, caption in enumerate(captions)}
    assert measured["cider"] == Cider().compute_score(dict(enumerate(lists)), given)[0]
    scorer = rouge_scorer.RougeScorer(["rougeL"])
    scores = [scorer.score_multi(row, caption)["rougeL"].fmeasure for row, caption in zip(lists, captions, strict=True)]
    assert measured["rouge_l"] == pytest.approx(sum(scores) / 4, abs=1e-12)


def test_token_f1_takes_the_best_reference():
    assert token_f1(["a cat"], [["a dog", "the cat", "a cat !"]]) == pytest.approx(0.8)  # 2 * 2 / (2 + 3)
    assert token_f1(["a a cat", "dog"], [["a cat"], ["bird"]]) == pytest.approx(0.4)  # (2 * 2 / (3 + 2) + 0) / 2


def test_token_f1_equals_precision_and_recall_worked_out():
    expected = []
    for caption, reference in zip(CAPTIONS, REFERENCES, strict=True):
        given, wanted = caption.replace(":", " :").split(), reference.replace(":", " :").split()
        common = sum(min(n, wanted.count(word)) for word, n in Counter(given).items())
        precision, recall = common / len(given), common / len(wanted)
        expected.append(2 * precision * recall / (precision + recall))
    assert caption_metrics(CAPTIONS, REFERENCES)["token_f1"] == pytest.approx(sum(expected) / 4)


def test_exact_match_is_the_share_of_equal_captions_and_ignores_case_and_spaces_only():
    captions = ["Cat face", "dog  face : dark", "cat", "猫 脸"]
    assert caption_metrics(captions, ["cat face", "dog face: dark", "cats", "猫脸"])["exact_match"] == 0.75


@pytest.mark.parametrize("references", [REFERENCES, CHINESE_REFERENCES], ids=["english", "chinese"])
def test_perfect_captions_have_the_best_scores(references):
    measured = caption_metrics(references, references)
    assert measured == pytest.approx(
        {"sacrebleu": 100, "bleu_4": 100, "cider": 10, "rouge_l": 1, "exact_match": 1, "token_f1": 1}, abs=1e-6
    )


def test_the_controls_score_far_below():
    constant = caption_metrics([REFERENCES[0]] * 4, REFERENCES)
    shuffled = caption_metrics(CAPTIONS[1:] + CAPTIONS[:1], REFERENCES)
    right = caption_metrics(CAPTIONS, REFERENCES)
    for name in right:
        assert constant[name] <= right[name] * (1 if name == "exact_match" else 0.75)  # it is one of the references
        assert shuffled[name] < right[name] / 2


def test_empty_captions_score_zero_and_raise_nothing():
    measured = caption_metrics(["", " "], ["a cat on a mat here", "two dogs in a park"])
    assert measured == pytest.approx(dict.fromkeys(measured, 0.0), abs=1e-6)


def test_no_rows_have_no_metrics():
    assert caption_metrics([], []) == {}


def test_the_libraries_stay_silent(capfd, caplog):
    caplog.set_level(logging.DEBUG, logger="sacrebleu")
    caption_metrics(["a cat sits on the mat ."] * 200, ["a cat lies on the mat ."] * 200)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def _replace(text, parts):
    for old, new in parts.items():
        text = text.replace(old, new)
    return text

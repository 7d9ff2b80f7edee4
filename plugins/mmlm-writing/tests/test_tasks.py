"""The heads of the tasks that write: one machinery, each with its own measure; and what their targets may be."""

import pytest
import torch

from mmlm_core.errors import DataError, OptionError
from mmlm_core.interfaces import GenerativeHead
from mmlm_core.testing.contracts.common import Characters
from mmlm_core.tokens import TokenTable
from mmlm_core.types import QUERIES, Example
from mmlm_writing import options
from mmlm_writing.answering import Answering
from mmlm_writing.captioning import Captioning
from mmlm_writing.plugin import mmlm_components
from mmlm_writing.summarization import Summarization
from mmlm_writing.text_head import TextHead
from mmlm_writing.transcription import Transcription
from mmlm_writing.translation import Translation

COMPONENTS = {component.name: component for component in mmlm_components()}
TASKS = [Captioning, Translation, Summarization, Answering, Transcription]


def make(kind, **values):
    torch.manual_seed(0)
    component = COMPONENTS[kind.__name__.lower()]
    return kind(
        component.options(**values), width=8, modalities=("text",), facts={}, tokenizer=Characters(),
        table=TokenTable(Characters.vocabulary, 8),
    )  # fmt: skip


def measured(kind, texts, references, **values):
    return make(kind, **values).metrics([{"prediction": text} for text in texts], references)


@pytest.mark.parametrize("kind", TASKS, ids=lambda kind: kind.__name__)
def test_the_tasks_differ_in_nothing_but_their_measure(kind):
    own = set(vars(kind)) - {
        "__module__",
        "__doc__",
        "__orig_bases__",
        "__parameters__",
        "__abstractmethods__",
        "_abc_impl",
    }
    assert own <= {"measure", "monitor", "several"}
    assert issubclass(kind, TextHead) and issubclass(kind, GenerativeHead) and kind.reads == (QUERIES,)


@pytest.mark.parametrize("kind", TASKS, ids=lambda kind: kind.__name__)
def test_a_better_model_is_known_by_a_figure_that_is_measured(kind):
    right, wrong = (measured(kind, [text], ["a red apple on a table"]) for text in ("a red apple on a table", "dog"))
    name, better = kind.monitor
    assert (right[name] > wrong[name]) == (better == "max") and right[name] != wrong[name]
    assert measured(kind, [], []) == {}


def test_each_task_has_the_metrics_of_its_field():
    names = {kind.__name__: list(measured(kind, ["a b"], ["a b"])) for kind in TASKS}
    assert names["Translation"] == ["bleu", "chrf", "exact_match"]
    assert names["Summarization"] == ["rouge_1", "rouge_2", "rouge_l"]
    assert names["Answering"] == ["exact_match", "f1"]
    assert names["Transcription"] == ["wer", "cer", "exact_match"]


@pytest.mark.parametrize("kind", TASKS, ids=lambda kind: kind.__name__)
def test_the_range_of_every_metric_is_told_and_the_best_texts_reach_its_end(kind):
    texts = ["a red apple on a table", "four black cats under the old chair"]
    right, wrong = measured(kind, texts, texts), measured(kind, ["nothing that is alike there"] * 2, texts)
    ranges = make(kind).metric_ranges
    for name in right:
        least, greatest = ranges[name]
        assert right[name] == pytest.approx(least if name in ("wer", "cer") else greatest), name
        assert least <= wrong[name] <= greatest and wrong[name] != pytest.approx(right[name]), name


def test_options_reach_the_metrics():
    pair = ["the runners"], ["the running"]
    assert measured(Summarization, ["runs"], ["running"], stem=True) != measured(Summarization, ["runs"], ["running"])
    assert (
        measured(Translation, ["four cats on my table"], ["four cats on my tables"], bleu_tokenizer="char")["bleu"]
        > (measured(Translation, ["four cats on my table"], ["four cats on my tables"])["bleu"])
    )
    assert measured(Translation, *pair, chrf_words=2)["chrf"] != measured(Translation, *pair)["chrf"]


def test_answers_of_many_people_have_the_accuracy_of_visual_question_answering():
    ten = ["red"] * 2 + ["blue"] * 8
    assert measured(Answering, ["red"], [ten])["vqa_accuracy"] == pytest.approx(0.6)
    assert "vqa_accuracy" not in measured(Answering, ["red", "red"], [ten, ["red", "blue", "red"]])
    assert measured(Answering, ["Red!"], [["blue", "red"]])["exact_match"] == 1


def test_a_row_has_the_best_of_its_references():
    assert measured(Translation, ["b"], [["a", "b"]])["exact_match"] == 1
    assert measured(Summarization, ["b c"], [["a", "b c"]])["rouge_2"] == 1


# bad input


@pytest.mark.parametrize("kind", TASKS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("target", ["", "  ", 3])
def test_an_empty_reference_or_none_that_is_text_is_refused(kind, target):
    with pytest.raises(DataError, match=r"^The target (must be a text|.* is blank)"):
        make(kind).target_processor().process(Example("k", target=target), {})


@pytest.mark.parametrize("kind", TASKS[:-1], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([], "The target is an empty list: it must be a text, or a list of at least one."),
        (["red", ""], "The target '' is blank: there is nothing to learn to write."),
    ],
)
def test_a_list_of_answers_that_is_empty_or_holds_an_empty_one_is_refused(kind, target, message):
    with pytest.raises(DataError) as caught:
        make(kind).target_processor().process(Example("k", target=target), {})
    assert str(caught.value) == message


def test_a_row_has_one_transcript():
    with pytest.raises(DataError) as caught:
        make(Transcription).target_processor().process(Example("k", target=["a", "b"]), {})
    assert str(caught.value) == "The target must be a text, not ['a', 'b']."


@pytest.mark.parametrize(
    ("make_options", "message"),
    [
        (lambda: options.AnsweringOptions(max_tokens=0), "`max_tokens` must be at least 1, not 0."),
        (lambda: options.TranslationOptions(chrf_words=5), "`chrf_words` must be from 0 to 4, not 5."),
        (
            lambda: options.TranslationOptions(bleu_tokenizer="zhh"),
            "`bleu_tokenizer` must be a tokenizer of sacreBLEU, not `zhh`. Did you mean `zh`? "
            "Choices: `13a`, `auto`, `char`, `intl`, `none`, `zh`.",
        ),
        (
            lambda: options.LanguageModelingOptions(context=8, overlap=8),
            "`overlap` must be below `context`, which is 8, not 8.",
        ),
    ],
)
def test_values_out_of_range_are_refused(make_options, message):
    with pytest.raises(OptionError) as caught:
        make_options()
    assert str(caught.value) == message

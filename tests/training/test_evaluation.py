"""The evaluation's controls."""

from mmlm_core.evaluation import derangement, most_common
from mmlm_core.judging import continuation
from mmlm_core.types import Example


def test_in_a_derangement_no_row_stands_at_its_own_place_and_every_row_once():
    for size in (2, 3, 10, 101):
        order = derangement(size)
        assert sorted(order) == list(range(size))
        assert all(row != place for place, row in enumerate(order))


def test_a_derangement_is_the_same_each_time_for_one_seed():
    assert derangement(20, 3) == derangement(20, 3) != derangement(20, 4)


def test_the_most_common_answer_counts_each_of_several_references():
    assert most_common(["cat", ["dog", "cat"], "dog", ["cat"]]) == "cat"
    assert most_common([None, {"a": 1}]) is None


def test_a_language_model_is_shown_with_the_beginning_of_a_text():
    shown = continuation(Example("a:1", target="The quick brown fox jumps over it"))
    assert (shown.prompt, shown.target) == ("The", " quick brown fox jumps over it")
    chinese = continuation(Example("a:2", target="床前明月光疑是地上霜"))
    assert (chinese.prompt, chinese.target) == ("床前", "明月光疑是地上霜")


def test_a_row_with_a_prompt_is_shown_as_it_is():
    row = Example("a:1", target="fox jumps", prompt="The quick")
    assert continuation(row) is row

"""`mmlm components`, `mmlm plugins`, `mmlm compat`."""

import re
import sys
from collections.abc import Callable

import pytest

Mmlm = Callable[..., tuple[int, str, str]]


def test_components_are_listed_with_their_package_and_what_they_need(
    mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert mmlm("components", "head") == (
        0,
        "choice               package    what it is\n"
        "head=captioning      mmlm-toys  A toy captioning. Provides generates. Needs backbone causal; tokenizer.\n"
        "head=classification  mmlm-toys  A toy classification.\n",
        "",
    )


def test_without_a_kind_every_choice_has_one_line_below_its_kind(mmlm: Mmlm) -> None:
    lines = mmlm("components")[1].splitlines()
    assert lines[:5] == [
        "tokenizer: text (or another modality) to discrete ids and back",
        "  tokenizer=bpe   A toy bpe.",
        "  tokenizer=char  A toy char.",
        "encoder/image: raw items of this modality to features",
        "  encoder/image=cnn  A small CNN.",
    ]
    assert len([line for line in lines if "=" in line]) == 16
    assert lines[-1] == "More: `mmlm components backbone`, or `mmlm components show backbone/gru`."


def test_a_line_is_cut_to_the_terminal_between_words(mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "36")
    printed = mmlm("components")[1].splitlines()
    assert "tokenizer: text (or another …" in printed
    assert "  head=classification  A toy …" in printed


def test_a_kind_of_encoders_means_those_of_every_modality(mmlm: Mmlm) -> None:
    printed = mmlm("components", "encoder")[1]
    assert [line.split()[0] for line in printed.splitlines() if "=" in line] == [
        "encoder/image=cnn", "encoder/text=embedding",
    ]  # fmt: skip


def test_a_slot_of_projections_means_the_projections(mmlm: Mmlm) -> None:
    assert mmlm("components", "projection/image") == mmlm("components", "projection")
    assert mmlm("components", "show", "projection/image=linear") == mmlm("components", "show", "projection/linear")


def test_one_component_is_shown_with_its_options(mmlm: Mmlm) -> None:
    printed = mmlm("components", "show", "encoder/image/cnn")[1]
    assert printed == (
        "encoder/image=cnn\n  A small CNN.\n  package   mmlm-toys\n  class     no_module:Nothing\n"
        "  provides  grid, sequence\n  fits      every installed choice of the other parts\n  options\n  width=8  (int)\n      Width of the features.\n"
        "  path=''  (text)\n      Weights to start from.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["backbones"], "`backbones` is no kind of component. Did you mean `backbone`? Choices: `backbone`, `data`, "
         "`encoder`, `encoder/image`, `encoder/text`, `fusion`, `head`, `optimizer`, `projection`, `schedule`, "
         "`tokenizer`."),
        (["show"], "`mmlm components show` must name components, as `backbone/gru`."),
        (["show", "gru"], "`gru` must name a component with its kind, as `backbone/gru`. Did you mean `backbone/gru`?"),
        (["show", "grru"], "`grru` must name a component with its kind, as `backbone/gru`. Did you mean `gru`?"),
        (["show", "encoder/image"], "`encoder/image` must name a component with its kind, as `backbone/gru`. "
         "Did you mean `encoder/image/cnn`?"),
        (["show", "head/"], "`head/` must name a component with its kind, as `backbone/gru`. "
         "Did you mean `head/captioning`, `head/classification`?"),
        (["show", "hed/captioning", "backbone/grru"], "2 things are wrong:\n- `hed` is no kind of component. Did you mean "
         "`head`? Choices: `backbone`, `data`, `encoder/image`, `encoder/text`, `fusion`, `head`, `optimizer`, "
         "`projection`, `schedule`, `tokenizer`.\n- `grru` is no choice of `backbone`. Did you mean `gru`? "
         "Choices: `bert`, `gru`, `lstm`, `transformer`."),
        (["show", "backbone/grru"], "`grru` is no choice of `backbone`. Did you mean `gru`? "
         "Choices: `bert`, `gru`, `lstm`, `transformer`."),
    ],
)  # fmt: skip
def test_what_there_is_not_names_the_nearest(mmlm: Mmlm, arguments: list[str], message: str) -> None:
    assert mmlm("components", *arguments) == (2, "", f"error: {message}\n")


def test_plugins_are_listed_with_their_state(mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    code, printed, _ = mmlm("plugins")
    assert code == 0
    header, row = printed.splitlines()
    assert header.split() == ["plugin", "distribution", "version", "API", "components", "import", "ms", "state"]
    cells = row.split()
    assert (cells[:5], cells[6:]) == (["toys", "mmlm-toys", "1.2", "1", "16"], ["in", "use"])


def test_compat_answers_first_and_short(mmlm: Mmlm) -> None:
    assert mmlm("compat", "encoder/image=cnn", "tokenizer=char") == (
        0,
        "This composition fits together:\n"
        "  data=emoji tokenizer=char encoder/image=cnn projection/image=linear\n"
        "  fusion=concat backbone=transformer head=captioning optimizer=adamw\n"
        "  schedule=cosine\n",
        "",
    )


def test_compat_tells_every_misfit_of_a_composition(mmlm: Mmlm) -> None:
    code, printed, _ = mmlm("compat", "backbone=bert", "tokenizer=none")
    assert code == 0
    assert printed.startswith(
        "This composition does not fit together:\n- `head=captioning` writes one token after another:"
    )
    assert "- `head=captioning` reads or writes text: it needs a `tokenizer`." in printed
    assert printed.splitlines()[-3:] == [
        "Its parts:", "  data=emoji fusion=concat backbone=bert head=captioning optimizer=adamw", "  schedule=cosine"
    ]  # fmt: skip


def test_compat_without_arguments_says_how_to_see_more(mmlm: Mmlm) -> None:
    assert mmlm("compat")[1].endswith(
        "\n\nWhat fits with what: `mmlm compat head` shows the tables of one kind, `--matrix`\nall.\n"
    )


HEADS = (
    "backbone     head\n"
    "             captioning  classification\n"
    "bert         {}           +\n"
    "gru          +           +\n"
    "lstm         +           +\n"
    "transformer  +           +\n"
)


def test_compat_shows_the_tables_of_the_kinds_that_are_asked_for(mmlm: Mmlm) -> None:
    reason = "`head=captioning` writes one token after another: it needs a `backbone` that\nprovides `causal`.\n"
    assert mmlm("compat", "head")[1] == f"{HEADS.format(1)}\n1. {reason}"
    assert mmlm("compat", "backbone", "optimizer") == mmlm("compat", "head")
    assert mmlm("compat", "schedule")[1] == "Every pair of installed choices fits together.\n"
    both = mmlm("compat", "head", "encoder/image=cnn")[1]
    assert both.startswith("This composition fits together:\n") and both.endswith(f"\n\n{HEADS.format(1)}\n1. {reason}")


def test_compat_shows_every_table_with_a_flag(mmlm: Mmlm) -> None:
    assert mmlm("compat", "--matrix")[1] == (
        "data   encoder/text\n"
        "       embedding\n"
        "emoji  1\n\n"
        f"{HEADS.format(2)}\n"
        "1. `encoder/text=embedding` reads `text`, which `data=emoji` does not give (it\n"
        "gives `image`): choose other data, or leave the modality out with\n"
        "`encoder/text=none`.\n"
        "2. `head=captioning` writes one token after another: it needs a `backbone` that\n"
        "provides `causal`.\n"
    )


def test_a_kind_that_there_is_not_is_told(mmlm: Mmlm) -> None:
    code, _, errors = mmlm("compat", "heads", "gru")
    assert code == 2
    assert errors.startswith(
        "error: 2 things are wrong:\n- `heads` is no kind of part, and no override as `group=choice`. "
        "Did you mean `head`? Choices: `backbone`, `data`, `encoder`, "
    )


def test_the_matrix_is_green_where_choices_fit_and_red_where_they_do_not(
    mmlm: Mmlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = mmlm("compat", "head")[1]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    coloured = mmlm("compat", "head")[1]
    assert "bert         \033[31m1\033[0m           \033[32m+\033[0m\n" in coloured
    assert re.sub(r"\033\[\d+m", "", coloured) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert mmlm("compat", "head")[1] == plain


@pytest.mark.parametrize("command", [["components"], ["plugins"], ["compat"], ["compat", "--matrix"]])
def test_lists_fit_eighty_columns(mmlm: Mmlm, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(len(line) for line in mmlm(*command)[1].splitlines()) <= 80

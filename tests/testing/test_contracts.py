"""Each fault of a component is found by its contract, whose message tells the author what to do; a correct one passes.

The faults are those of `toys/mmlm_toys`: one correct component of each kind, whose option `fault` switches one on. The
contracts run as an author runs them, through pytest in a process of its own, over a generated file.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

TOYS = Path(__file__).parent / "toys"

FILE = """
import json
from mmlm_core.testing import contracts

SLOW = ("test_a_fresh_process_makes_the_same", "test_its_declaration_imports_no_torch")
for plugin, options, only, labels in json.loads({groups!r}):
    for case in contracts(plugin, options=options).values():
        for name in dir(case):
            wanted = name == only or only == "all" or (only == "quick" and name not in SLOW)
            if name.startswith("test_") and not wanted:
                setattr(case, name, None)
        if case.key() in labels:
            globals()[f"Test {{labels[case.key()]}}"] = case
"""
"""A test class for each component that has a label: with all of its tests, all quick ones, or one."""

MODULES = ("encoder/text=toy", "projection=toy", "fusion=toy", "backbone=toy", "head=toy")

SAVED = "test_what_is_saved_loads_the_same"
EVALUATED = "test_evaluation_repeats_itself"
BUILT = "test_building_repeats_itself_under_a_seed"
LEARNT = "test_gradients_reach_every_parameter"
BEFORE = "test_gradients_reach_what_came_before"
COLLATED = "test_its_collate_draws_from_the_generator_alone"
FRESH = "test_a_fresh_process_makes_the_same"

OF_EVERY_MODULE = [
    ("unused_parameter", LEARNT, r"parameters that no gradient reaches: .*quirk\.spare.*or do not build them"),
    ("plain_attribute", SAVED, r"loses state when it is saved: .*`quirk\.running`.*`self\.register_buffer`"),
    ("buffer_that_is_not_saved", SAVED, r"`quirk\.running`.*parameters and persistent buffers"),
    ("random_constant", SAVED, r"a new one gives other results.*`quirk\.offset`.*`self\.register_buffer`"),
    ("counts_its_steps", SAVED, r"`quirk\.steps`.*`self\.register_buffer`"),
    ("state_on_the_class", SAVED, r"none in plain attributes, on the class or in the module's globals"),
    ("state_in_the_module", SAVED, r"none in plain attributes, on the class or in the module's globals"),
    ("buffer_made_late", SAVED, r"cannot load what was saved\. Make every parameter and buffer in `__init__`"),
    ("dropout_in_evaluation", EVALUATED, r"two results for the same inputs in evaluation.*`if self\.training`"),
    ("learns_in_evaluation", EVALUATED, r"in evaluation.*(running statistics|bring statistics).*`if self\.training`"),
    ("unseeded", BUILT, r"differently twice under one seed .*quirk\.shift.*torch's own generator"),
    ("unseeded_constant", BUILT, r"differently twice under one seed \(its results\).*torch's own generator"),
    ("unseeded_noise", "test_training_repeats_itself_under_a_seed", r"trains differently.*torch's own generator"),
]  # fmt: skip

OF_EVERY_PROCESSOR = [
    ("does_not_pickle", "pickles", r"does not pickle, but it goes to other processes.*no lambda"),
    ("holds_a_lock", "pickles", r"does not pickle, but it goes to other processes.*no lock"),
    ("forgets_when_pickled", "pickles", r"works differently after pickling.*attributes that pickle"),
    ("random_process", "repeats_itself", r"two results for one item in `process`.*move what is random to `collate`"),
    ("random_process_of_its_own", "repeats_itself", r"two results for one item in `process`.*`collate`"),
    ("augments_in_evaluation", COLLATED, r"two results without a generator.*where `generator` is None"),
    ("ignores_the_generator", COLLATED, r"two results under one seed in `collate`.*`torch\.rand\(\.\.\., generator="),
    ("changes_items", COLLATED, r"changes what `process` made .* in `collate`.*`tensor\.clone\(\)`"),
    ("takes_anything", "test_an_unusable_{}_is_an_error_of_ours", r"must raise `mmlm_core\.errors\.DataError`.*it passes"),
    ("bare_error", "test_an_unusable_{}_is_an_error_of_ours", r"must raise `mmlm_core\.errors\.DataError`.*, not TypeError"),
]  # fmt: skip

OF_ONE_KIND = {
    "encoder/text=toy": [
        ("ignores_the_mask", "test_an_item_does_not_depend_on_its_neighbours", r"other features in a batch than alone.*masked"),
        ("mixes_items", "test_an_item_does_not_depend_on_its_neighbours", r"one item must not be mixed with another"),
        ("gives_no_mask", "test_an_item_does_not_depend_on_its_neighbours", r"valid positions in a batch and \d+ alone.*a mask"),
        ("same_for_all", "test_its_features_depend_on_the_item", r"the same features: let `forward` read"),
        ("another_width", "test_its_features_have_its_width", r"must be \[I, T, D\], where D is its attribute `width`, 8"),
        ("divides_by_nothing", "test_a_blank_item_goes_through", r"for the blank item: they must be finite"),
    ],
    "projection=toy": [
        ("forgets_the_mask", "test_it_keeps_the_mask", r"forgets the mask: return `features\.with_values"),
        ("forgets_the_tokens", "test_it_keeps_the_mask", r"forgets which tokens .*`features\.with_values"),
        ("forgets_the_mask every=2", "test_it_keeps_the_mask", r"forgets the mask\. Make a mask .*`features\.valid`"),
        ("nothing_is_masked", "test_it_keeps_the_mask", r"forgets the mask: return `features\.with_values"),
        ("keeps_the_old_mask every=2", "test_it_gives_the_width_that_it_was_wired_for", r"where their number changes, it must change too"),
        ("ignores_the_mask", "test_it_keeps_the_mask", r"lets padding reach valid positions: mask what `features\.valid`"),
        ("another_width", "test_it_gives_the_width_that_it_was_wired_for", r"24 is the `output_width`"),
        ("cuts_what_came_before", BEFORE, r"no gradient back to the encoder: leave out `detach`"),
    ],
    "fusion=toy": [
        ("ignores_the_mask", "test_masked_positions_of_the_inputs_do_not_matter", r"ignores a mask.*`mmlm_core\.types\.join`"),
        ("ignores_the_mask_between between=True", "test_masked_positions_of_the_inputs_do_not_matter", r"ignores a mask.*`remember`"),
        ("rolls_the_rows", "test_no_row_leaks_into_another", r"leaks one sample into another: changing row 0 changes row 1"),
        ("leaks_between between=True", "test_no_row_leaks_into_another", r"leaks one sample into another.*never along rows"),
        ("padding_in_the_middle", "test_what_the_head_reads_is_in_the_sequence", r"padding trail\. `mmlm_core\.types\.join`"),
        ("drops_the_queries", "test_what_the_head_reads_is_in_the_sequence", r"leaves the head's queries out.*`mmlm_core\.types\.QUERIES`"),
        ("drops_the_text", "test_the_inputs_reach_what_is_read", r"drops the input `text`: put it into the sequence"),
        ("divides_by_nothing between=True", "test_a_row_without_inputs_stays_finite", r"a mean over nothing, must give zeros"),
        ("mixes_positions between=True", "test_between_acts_on_each_position_alone", r"mixes positions in `between`"),
        ("memory_by_position between=True", "test_memory_follows_its_rows", r"first axis of every tensor .* must be the rows"),
        ("keeps_the_memory between=True", "test_memory_follows_its_rows", r"what `memory` holds alone"),
        ("cuts_what_came_before", BEFORE, r"no gradient back to `image`: leave out `detach`"),
    ],
    "backbone=toy": [
        ("says_nothing", EVALUATED, r"provides neither `causal` nor `bidirectional`: say in its traits"),
        ("does_not_say_that_it_steps", "test_it_declares_whether_it_steps", r"does not provide `cache`, and its `steps` is True"),
        ("ignores_the_mask", "test_padding_changes_no_valid_output[bidirectional]", r"ignores the mask.*`sequence\.valid`"),
        ("looks_ahead", "test_a_causal_backbone_never_looks_ahead", r"looks ahead: with `causal=True`.*those before it alone"),
        ("looks_ahead_in_training", "test_a_causal_backbone_never_looks_ahead", r"looks ahead.* in training"),
        ("never_looks_ahead", "test_a_bidirectional_backbone_looks_both_ways", r"read both ways, or leave the word out"),
        ("ignores_documents", "test_packed_documents_do_not_see_each_other[causal]", r"`sequence\.documents` apart"),
        ("forgets_a_layer", "test_steps_equal_the_whole", r"something else with its state \(`start`\) than without"),
        ("steps_past_the_fusion", "test_steps_equal_the_whole", r"a fresh state must change nothing"),
        ("stores_padding", "test_steps_equal_the_whole", r"something else with its state \(`start`\) than without"),
        ("starts_with_something", "test_steps_equal_the_whole", r"a fresh state must change nothing"),
        ("select_returns_nothing", "test_a_states_rows_can_change_places[[2, 0, 1]]", r"cannot go on after `select\(\[2, 0, 1\]\)`.*returns nothing"),
        ("select_keeps_the_order", "test_a_states_rows_can_change_places[[2, 0, 1]]", r"reorder every tensor of the state"),
        ("select_forgets_the_counts", "test_a_states_rows_can_change_places[[2, 0, 1]]", r"the lengths too"),
        ("select_forgets_a_layer", "test_a_states_rows_can_change_places[[2, 0, 1]]", r"of each layer"),
        ("select_shares_memory", "test_a_states_rows_can_change_places[[1, 1, 0, 2]]", r"give each row its own memory"),
        ("reorder_keeps_the_order", "test_beams_can_change_places[[5, 5, 5, 5]]", r"after `reorder\(\[1, 1, 3, 0\], 2\)`.*must move all else"),
        ("skips_between", "test_it_keeps_the_shape_and_calls_between_once_a_layer[causal]", r"for the layers \[1\]: it must call it after each"),
        ("drops_between", "test_it_keeps_the_shape_and_calls_between_once_a_layer[causal]", r"`hidden = between\(layer, hidden\)`"),
        ("cuts_what_came_before", BEFORE, r"no gradient back to what it reads: leave out `detach`"),
    ],
    "head=toy": [
        ("misnames_what_it_reads", "test_it_declares_whose_positions_it_reads", r"reads the positions of `text`, and declares .*image.*`Traits\(reads=\.\.\.\)`"),
        ("scores_padding", "test_its_loss_is_a_sum_over_rows", r"Leave padded targets out of it \(`ignore_index`\)"),
        ("takes_the_mean", "test_its_loss_is_a_sum_over_rows", r"take the sum and not the mean"),
        ("counts_padding", "test_its_loss_is_a_sum_over_rows", r"`count` must leave out padded targets"),
        ("ignores_the_mask", "test_masked_positions_reach_neither_loss_nor_predictions", r"ignores a mask.*`outputs\[name\]\.valid`"),
        ("ignores_the_mask_in_predictions", "test_masked_positions_reach_neither_loss_nor_predictions", r"ignores a mask.*its predictions"),
        ("divides_by_nothing", "test_masked_positions_reach_neither_loss_nor_predictions", r"over nothing must give zeros"),
        ("cuts_what_came_before", BEFORE, r"reads `text` and sends no gradient back to it: leave out `detach`"),
        ("facts_with_a_set", "test_its_facts_are_plain", r"JSON cannot hold: return plain values"),
        ("facts_by_number", "test_its_facts_are_plain", r"text for the keys of dicts"),
        ("predicts_tensors", "test_its_predictions_are_plain_values_and_can_be_measured", r"return plain values \(`tensor\.tolist\(\)`\)"),
        ("measures_nan", "test_its_predictions_are_plain_values_and_can_be_measured", r"`right` as nan: every metric must be a finite float"),
        ("measures_beyond_its_range", "test_its_predictions_are_plain_values_and_can_be_measured", r"`right` as 2\.0, outside of its `metric_ranges`"),
        ("needs_targets", "test_it_predicts_without_targets", r"cannot make a batch of rows whose target is None"),
    ],
    "tokenizer=toy": [
        ("changes_case", "test_texts_it_was_trained_on_survive", r"does not round-trip: .*Let `decode` undo `encode`, case"),
        ("loses_spaces", "test_texts_it_was_trained_on_survive", r"does not round-trip: .*spaces"),
        ("decodes_specials", "test_texts_it_was_trained_on_survive", r"Leave special ids out in `decode`"),
        ("offsets_in_bytes", "test_its_offsets_are_the_places_of_its_ids", r"out of order or beyond it"),
        ("offsets_of_words_alone", "test_its_offsets_are_the_places_of_its_ids", r"gives \d+ offsets for \d+ ids of"),
        ("offsets_lose_the_last_letter", "test_its_offsets_are_the_places_of_its_ids", r"leave out '\w': each character belongs to a token"),
        ("does_not_count_specials", "test_its_ids_lie_within_its_vocabulary", r"its `vocabulary`, \d+, which counts the special"),
        ("reads_specials", "test_a_users_text_never_becomes_a_special_token", r"the special id 2 of the text '<end>'"),
        ("saves_half", "test_what_is_saved_loads_the_same", r"loses its vocabulary.*Write all that `train` made in `save`"),
        ("loads_nothing", "test_what_is_saved_loads_the_same", r"loses its vocabulary.*take it back in `load`"),
        ("vocabulary_on_the_class", "test_what_is_saved_loads_the_same", r"loses its vocabulary.*keep nothing on the class"),
        ("bare_error", "test_an_empty_folder_is_an_error_of_ours", r"must raise `mmlm_core\.errors\.RunError`.*not FileNotFoundError"),
        ("does_not_pickle", "test_it_pickles", r"does not pickle, but it goes to other processes.*no lambda"),
        ("random_order", "test_training_twice_gives_the_same_ids", r"two vocabularies of one corpus: order what is counted"),
        ("trains_on_nothing", "test_an_empty_corpus_is_refused_or_not_needed", r"must raise `mmlm_core\.errors\.DataError`.*it passes"),
        ("order_of_a_set", FRESH, r"The order of a set .* sort"),
    ],
    "data=toy": [
        ("shuffles", "test_two_reads_give_the_same_rows", r"other rows .*by a second `read`.*Shuffle under a seed of its own"),
        ("shuffles_when_opened", "test_two_reads_give_the_same_rows", r"another source with the same options.*Shuffle under a seed"),
        ("shorter_every_time", "test_two_reads_give_the_same_rows", r"the length of it: 19 or 18, by a second `read`"),
        ("drawn_rows", "test_two_reads_give_the_same_rows", r"a second look at the same rows.*leave augmentation to the processors"),
        ("order_of_a_set", FRESH, r"The order of a set .* sort"),
        ("does_not_pickle", "test_its_rows_pickle", r"does not pickle, but it goes to other processes.*no lambda"),
        ("one_key", "test_every_split_can_be_read", r"a key says where a row comes from"),
        ("another_split", "test_every_split_can_be_read", r"at least one, out of train, validation, test"),
        ("empty_split", "test_every_split_can_be_read", r"leave an empty split out of `splits`"),
        ("has_no_target", "test_it_gives_what_its_traits_say", r"make them agree, since compositions are checked by the traits"),
        ("reads_any_split", "test_an_unknown_split_is_an_error_of_ours", r"must raise `mmlm_core\.errors\.DataError`.*it passes"),
        ("bare_error", "test_an_unknown_split_is_an_error_of_ours", r"must raise `mmlm_core\.errors\.DataError`.*not KeyError"),
    ],
    "optimizer=toy": [
        ("leaves_out_vectors", "test_it_updates_every_parameter_and_no_frozen_one", r"leaves out parameters: .*`a\.bias` of shape \[4\].*whatever its shape"),
        ("leaves_out_the_last", "test_it_updates_every_parameter_and_no_frozen_one", r"leaves out parameters: .*Give every parameter"),
        ("skips_numbers", "test_it_updates_every_parameter_and_no_frozen_one", r"when it steps: `gate` of shape \[\] stay as they were"),
        ("moves_frozen_ones", "test_it_updates_every_parameter_and_no_frozen_one", r"changes frozen parameters: `f\.bias`.*Leave out"),
        ("keeps_its_state_elsewhere", "test_it_continues_exactly_from_its_state", r"does not continue from its saved state.*`self\.state\[parameter\]`"),
        ("no_rate", "test_its_groups_have_a_learning_rate", r"`lr` of each group is its peak"),
    ],
    "schedule=toy": [
        ("above_one", "test_its_factor_lies_between_0_and_1", r"a factor of 1\.5 at step 0, .*it must lie from 0 to 1"),
        ("below_zero_at_the_end", "test_its_factor_lies_between_0_and_1", r"a factor of -0\.00\d* at step 3.*mind both ends"),
        ("above_one_late", "test_its_factor_lies_between_0_and_1", r"it must lie from 0 to 1"),
        ("nan_at_the_start", "test_its_factor_lies_between_0_and_1", r"a factor of nan at step 0"),
        ("never_rises", "test_its_factor_lies_between_0_and_1", r"its peak must be 1"),
        ("remembers", "test_its_factor_depends_on_step_and_progress_alone", r"keep nothing between calls"),
        ("random", "test_its_factor_depends_on_step_and_progress_alone", r"must follow from step and progress alone"),
    ],
}  # fmt: skip

UNWRITABLE = {
    "literal": r"`shape`: .*Literal.*Take an Enum for a choice of words",
    "function": r"`shape`: .*Callable.*a name for a function",
    "tuple": r"`betas` is \(0\.9, 0\.95\) and comes back as \[0\.9, 0\.95\].*a list for a tuple",
    "set": r"`skip`: .*set.*a list for a tuple or a set",
    "object": r"`thing`: .*not a supported primitive type.*YAML and the command line hold",
    "frozen": r"`steps`: .*a dataclass that is not frozen",
}


def every_fault() -> list[tuple[str, str, str, str]]:
    """Return kind and name, the fault with further options, the test that finds it, and the words that tell of it."""
    faults = [(key, *case) for key in MODULES for case in OF_EVERY_MODULE]
    faults += [(key, "order_of_a_set", FRESH, r"The order of a set .* sort") for key in ("backbone=toy", "head=toy")]
    for key, thing, prefix in (("encoder/text=toy", "item", "test_its_processor_"),
                               ("head=toy", "target", "test_its_target_processor_")):  # fmt: skip
        for fault, test, words in OF_EVERY_PROCESSOR:
            name = test.format(thing) if test.startswith("test_") else f"{prefix}{test}"
            faults.append((key, fault, name, words))
    return faults + [(key, *case) for key, cases in OF_ONE_KIND.items() for case in cases]


FAULTS = every_fault()
CORRECT = [
    f"{key}=toy"
    for key in (
        "tokenizer",
        "encoder/text",
        "projection",
        "fusion",
        "backbone",
        "head",
        "data",
        "optimizer",
        "schedule",
    )
]
VARIANTS = {"projection=toy": {"every": 2}, "fusion=toy": {"between": True}}


Group = tuple[str, dict[str, dict[str, Any]], str, dict[str, str]]
"""A plugin, options by component, which tests are run, and the label of each component that is tried."""


def groups() -> list[Group]:
    """Return what is tried; one process is asked for each group whose tests need a fresh one."""
    fresh: Group = ("mmlm_toys.plugin", {}, FRESH, {})
    listed: list[Group] = [fresh, ("mmlm_toys.plugin", {}, "all", {key: f"{key} correct" for key in CORRECT})]
    for key, fault, test, _ in FAULTS:
        name, _, more = fault.partition(" ")
        option, _, value = more.partition("=")
        options = {"fault": name} | ({option: json.loads(value.lower())} if more else {})
        if test == FRESH:
            fresh[1][key], fresh[3][key] = options, f"{key} {fault}"
        else:
            listed.append(("mmlm_toys.plugin", {key: options}, test.partition("[")[0], {key: f"{key} {fault}"}))
    listed += [("mmlm_toys.plugin", {key: VARIANTS[key]}, "quick", {key: f"{key} variant"}) for key in VARIANTS]
    for name in ("imports_torch", "imports_torch_later"):
        only = "test_its_declaration_imports_no_torch"
        listed.append((f"mmlm_toys.{name}", {}, only, {"schedule=toy": f"{name} torch"}))
    yaml = {f"schedule={name}": f"{name} yaml" for name in UNWRITABLE}
    return [*listed, ("mmlm_toys.unwritable", {}, "test_its_options_survive_yaml", yaml)]


Outcomes = dict[str, dict[str, str]]
"""For each case the tests that ran, each with the message of its failure, or nothing where it passed."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Run the contracts on every case, in one process."""
    folder = tmp_path_factory.mktemp("toys")
    (folder / "test_toys.py").write_text(FILE.format(groups=json.dumps(groups())), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "pytest.ini", "-p", "no:cacheprovider", "--tb=line", "--junitxml=report.xml"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(TOYS), "PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (folder / "report.xml").is_file(), done.stdout + done.stderr
    found: Outcomes = {}
    for case in ElementTree.parse(folder / "report.xml").iter("testcase"):
        label = case.get("classname", "").partition(".Test ")[2]
        messages = [part.get("message", "") for part in case if part.tag in ("failure", "error", "skipped")]
        found.setdefault(label, {})[case.get("name", "")] = " ".join(messages)
    return found


@pytest.mark.parametrize(("key", "fault", "test", "words"), FAULTS, ids=[f"{key} {fault}" for key, fault, *_ in FAULTS])
def test_a_fault_is_found_and_the_message_tells_what_to_do(
    outcomes: Outcomes, key: str, fault: str, test: str, words: str
) -> None:
    failures = {name: message for name, message in outcomes[f"{key} {fault}"].items() if message}
    assert test in failures, f"found by {sorted(failures)}"
    assert f"`{key}`" in failures[test]
    assert re.search(words, failures[test], flags=re.DOTALL), failures[test]


@pytest.mark.parametrize("key", CORRECT)
def test_a_correct_component_passes_all(outcomes: Outcomes, key: str) -> None:
    assert len(outcomes[f"{key} correct"]) >= 8
    assert not {name: message for name, message in outcomes[f"{key} correct"].items() if message}


@pytest.mark.parametrize("key", VARIANTS)
def test_a_correct_variant_passes_all(outcomes: Outcomes, key: str) -> None:
    assert not {name: message for name, message in outcomes[f"{key} variant"].items() if message}


@pytest.mark.parametrize(("module", "line"), [("imports_torch", 3), ("imports_torch_later", 11)])
def test_a_declaration_that_imports_torch_is_told_the_line(outcomes: Outcomes, module: str, line: int) -> None:
    ((test, message),) = outcomes[f"{module} torch"].items()
    assert test == "test_its_declaration_imports_no_torch"
    told = rf"`mmlm_toys\.{module}` imports torch when it is declared, at .*{module}\.py, line {line}: .*by its import path"
    assert re.search(told, message, flags=re.DOTALL), message


@pytest.mark.parametrize(("name", "words"), UNWRITABLE.items())
def test_options_that_yaml_cannot_hold_are_told_with_what_it_holds(outcomes: Outcomes, name: str, words: str) -> None:
    ((test, message),) = outcomes[f"{name} yaml"].items()
    assert test == "test_its_options_survive_yaml"
    assert f"`schedule={name}` has options that YAML cannot hold: " in message
    assert re.search(words, message, flags=re.DOTALL), message

"""Every combination of what is installed either is refused with a reason, or trains, saves, loads and predicts alike.

Nothing is listed by hand: a plugin's component takes part by being registered. The default suite runs a covering set
of all pairs of choices; the slow one a covering set of every four of encoders, fusion, backbone and head. The whole
product has millions of rows by now, and what fits depends on what parts declare alone.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from mmlm_core import generation
from mmlm_core.compat import misfits
from mmlm_core.composition import Composition
from mmlm_core.data import collate_examples
from mmlm_core.plugins import load_plugins
from mmlm_core.prediction import Predictor
from mmlm_core.preparation import make_tokenizer, prepare
from mmlm_core.registry import Component
from mmlm_core.settings import DecodingOptions, LoaderOptions, Settings
from mmlm_core.testing.combinations import (
    alternatives,
    combinations,
    covering,
    every_choice,
    fitting,
    label,
    possible,
)
from mmlm_core.testing.contracts.common import pictures
from mmlm_core.weights import load_weights, save_weights

REGISTRY = load_plugins().registry
SETTINGS = Settings(loader=LoaderOptions(batch_size=3), decoding=DecodingOptions(max_tokens=4))
ROWS = [("a red square", "red"), ("two blue dots", "blue"), ("我爱吃苹果", "red"), ("a green line", "blue")] * 2


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files that components with a `path` need: a table with pictures beside it, and a tokenizer."""
    from tokenizers import Tokenizer, models

    folder = tmp_path_factory.mktemp("files")
    for index, content in enumerate(pictures()):
        (folder / f"{index}.png").write_bytes(content)
        with Image.open(folder / f"{index}.png") as picture:
            picture.convert("L").point(lambda value: value // 128).save(folder / f"{index}-mask.png")
    lines = [
        json.dumps({"image": f"{index % 3}.png", "text": text, "target": target, "target:tags": [target] * len(text.split()),
                    "target:masks": str(folder / f"{index % 3}-mask.png"), "target:answers": text[2:5],
                    "target:numbers": index, "target:messages": [{"role": "user", "content": text},
                                                                 {"role": "assistant", "content": target}]})
        for index, (text, target) in enumerate(ROWS)
    ]  # fmt: skip
    (folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    vocabulary = {word: index for index, word in enumerate(["<unk>", *sorted({c for text, _ in ROWS for c in text})])}
    Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>")).save(str(folder / "tokenizer.json"))
    return {"data": str(folder / "rows.jsonl"), "tokenizer": str(folder / "tokenizer.json")}


def filler(files: dict[str, str]) -> Any:
    """Fill in paths and column names, which no component can name for itself."""

    def fill(component: Component) -> dict[str, Any] | None:
        names = set(component.options.__dataclass_fields__)
        if component.kind == "data" and names & {"path", "sources"} and component.name != "table":
            return None  # the other readers of files differ in the files alone, and have tests of their own
        if component.kind == "data" and "path" in names:
            return {"path": files["data"], "inputs": {"image": "image", "text": "text"}, "target": "target"}
        if component.kind == "tokenizer" and "path" in names:
            return {"path": files["tokenizer"]}
        return {}

    return fill


NOWHERE = {"data": "rows.jsonl", "tokenizer": "tokenizer.json"}  # for collecting: nothing is opened


def column(composition: Composition) -> str:
    """Return the table's column of what the head learns: a kind of target that it needs, else texts."""
    wanted = sorted(word for need in composition["head"].traits.needs if need.of == "data" for word in need.has)
    return next((word for word in wanted if word.startswith("target:") and word != "target:any"), "target")


CHOICES = every_choice(REGISTRY, filler(NOWHERE))
FITTING = fitting(combinations(CHOICES, SETTINGS), REGISTRY)
TURNS = alternatives(FITTING, CHOICES, REGISTRY)
COVERING = covering(FITTING, TURNS)
BOXES = ("encoder", "fusion", "backbone", "head")
PARTS = 20
"""The slow set is cut into as many tests, so that its progress shows."""


@cache
def fours() -> list[Composition]:
    """Return compositions that hold every four choices of encoders, fusion, backbone and head that fit together."""
    return covering(FITTING, TURNS, 4, BOXES)


def with_files(composition: Composition, files: dict[str, str]) -> Composition:
    """Return the composition with the files' real places."""
    mapping = composition.to_mapping()
    for slot, path in files.items():
        if slot in mapping and "path" in mapping[slot]:
            mapping[slot]["path"] = path
    if mapping["data"]["name"] == "table":
        mapping["data"]["target"] = column(composition)
    return Composition.from_mapping(REGISTRY, mapping)


def trains_saves_loads_and_predicts(composition: Composition, folder: Path, device: str = "cpu") -> None:
    """Train two steps (in bf16 where it is a GPU), save, load into a new model, and compare the predictions."""
    prepared = prepare(composition)
    model, examples = prepared.model.to(device), list(prepared.source.read("train"))[:3]
    processors, targets = model.processors(), model.head.target_processor()
    batch = collate_examples(examples, processors, targets).to(device)
    optimizer = composition["optimizer"].component.load()(composition["optimizer"].options).build(model)
    before = {name: value.clone() for name, value in model.named_parameters() if value.requires_grad}
    for _ in range(2):
        with torch.autocast(device, torch.bfloat16, enabled=device != "cpu"):
            loss = model.train().loss(batch).mean
        assert loss.isfinite()
        loss.backward()
        missing = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
        assert not missing, f"no gradient reaches {missing}"
        optimizer.step()
        optimizer.zero_grad()
    moved = [
        name for name, value in model.named_parameters() if name in before and not torch.equal(value, before[name])
    ]
    assert moved
    save_weights(model, folder / "model.safetensors")
    tokenizer = prepared.tokenizer
    if tokenizer is not None:
        tokenizer.save(folder)
        tokenizer = make_tokenizer(composition)
        tokenizer.load(folder)
    from mmlm_core.build import build

    loaded = build(composition, tokenizer=tokenizer, facts=prepared.facts)
    load_weights(loaded, folder / "model.safetensors")
    ours = Predictor(composition, model)
    theirs = Predictor(composition, loaded.to(device))
    blind = [type(example)(example.key, example.inputs, None, None) for example in examples]
    expected = list(ours.predict(blind))
    assert list(theirs.predict(blind)) == expected
    assert len(expected) == len(examples)
    if "generates" in composition["head"].traits.provides:
        cached = generation.generate(model, ours.batch(blind), SETTINGS.decoding)
        uncached = generation.generate(model, ours.batch(blind), SETTINGS.decoding, cache=False)
        assert [row.ids for row in cached] == [row.ids for row in uncached]


@pytest.mark.parametrize("composition", COVERING, ids=label)
def test_a_fitting_combination_trains_saves_loads_and_predicts(
    composition: Composition, files: dict[str, str], tmp_path: Path
) -> None:
    trains_saves_loads_and_predicts(with_files(composition, files), tmp_path)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("composition", COVERING, ids=label)
def test_a_fitting_combination_does_so_on_a_gpu(
    composition: Composition, files: dict[str, str], tmp_path: Path
) -> None:
    trains_saves_loads_and_predicts(with_files(composition, files), tmp_path, "cuda")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_four_choices_of_the_boxes_train_save_load_and_predict(
    part: int, files: dict[str, str], tmp_path: Path
) -> None:
    mine = fours()[part::PARTS]
    assert mine
    for composition in mine:
        try:
            trains_saves_loads_and_predicts(with_files(composition, files), tmp_path)
        except Exception as error:
            raise AssertionError(f"{label(composition)}: {error}") from error


def test_every_refusal_has_a_reason_and_a_way_out() -> None:
    refused = 0
    for composition in combinations(CHOICES, SETTINGS):
        for misfit in misfits(composition, REGISTRY):
            refused += 1
            assert misfit.reason.endswith((".", "?")) and misfit.slot
    assert refused > 0


def test_every_component_fits_somewhere() -> None:
    used = {
        (choice.component.kind, choice.component.name) for fit in TURNS for c in fit.values() for choice in c.values()
    }
    tried = {(choice.component.kind, choice.component.name) for choices in CHOICES.values() for choice in choices}
    assert tried == used


def test_the_covering_set_holds_every_pair_that_fits() -> None:
    wanted = set().union(*map(possible, TURNS))
    rows = [sorted(f"{s}={c.component.name}" for s, c in x.choices.items()) for x in COVERING]
    assert {(a, b) for row in rows for i, a in enumerate(row) for b in row[i + 1 :]} == wanted

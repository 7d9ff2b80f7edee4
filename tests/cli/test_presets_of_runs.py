"""Presets for a trained run: `mmlm generate RUN decoding=beams`."""

from pathlib import Path

import pytest

from mmlm_core.cli.presets import spelled_out
from mmlm_core.errors import UnknownChoiceError
from mmlm_core.overriding import override
from mmlm_core.plugins import Plugins

RUN = {"decoding": {"beams": 2, "max_tokens": 9}, "data": {"name": "table"}}


@pytest.fixture
def run(toys: Plugins, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    monkeypatch.setattr("mmlm_core.cli.presets.load_plugins", lambda: toys)
    return toys


def test_a_preset_starts_from_the_defaults_and_what_follows_changes_it(run: Plugins) -> None:
    told = spelled_out(["decoding=sampling", "decoding.top_k=5"])
    decoding = override(RUN, run.registry, told).settings.decoding
    assert (decoding.temperature, decoding.top_p, decoding.top_k) == (0.8, 0.95, 5)
    assert (decoding.beams, decoding.max_tokens) == (1, 64)  # not the run's own


def test_the_default_of_a_group_is_a_preset_too(run: Plugins) -> None:
    decoding = override(RUN, run.registry, spelled_out(["decoding=default"])).settings.decoding
    assert (decoding.beams, decoding.max_tokens) == (1, 64)


def test_texts_of_a_preset_stay_texts(run: Plugins) -> None:
    tracker = override(RUN, run.registry, spelled_out(["tracker=off"])).settings.tracker
    assert (tracker.wandb, tracker.project) == ("off", "mmlm")


def test_values_and_components_stay_as_they_are(run: Plugins) -> None:
    assert spelled_out(["decoding.beams=4"]) == ["decoding.beams=4"]
    assert spelled_out(["data=table", "data.path=x.csv"]) == ["data=table", "data.path=x.csv"]


def test_an_unknown_preset_is_told_with_what_was_meant(run: Plugins) -> None:
    with pytest.raises(
        UnknownChoiceError,
        match=r"^`decoding=beam`: `beam` is no choice of `decoding`\. Did you mean `beams`\? Choices: ",
    ):
        spelled_out(["decoding=beam"])


def test_no_plugin_is_loaded_where_no_preset_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("mmlm_core.cli.presets.load_plugins", lambda: pytest.fail("plugins were loaded"))
    assert spelled_out(["decoding.beams=4", f"data.path={tmp_path}"])

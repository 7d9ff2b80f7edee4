"""`experiment=x scale=gpu`: an experiment in other sizes."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import mmlm_core
from mmlm_core import compat
from mmlm_core.cli import composing
from mmlm_core.cli.completion import candidates
from mmlm_core.cli.menu import EXPERIMENT, SCALE, Menu
from mmlm_core.composition import Composition
from mmlm_core.errors import ConflictError
from mmlm_core.plugins import Plugin, Plugins, load_plugins

Mmlm = Callable[..., tuple[int, str, str]]

INSTALLED = Menu(load_plugins())

SCALES = [(experiment, scale) for experiment in INSTALLED.choices(EXPERIMENT) for scale in INSTALLED.scales(experiment)]

FILES = {
    "experiment/base": "# Base.\ndefaults: [override /backbone: gru, override /encoder/image: cnn]\n"
    "backbone: {layers: 3, width: 8}\nencoder: {image: {width: 5}}\ntrainer: {accelerator: cpu, devices: 2}\n",
    "experiment/over": "defaults: [base]\nrun: {seed: 9}\n",
    "experiment/other": "defaults: [override /backbone: lstm]\n",
    "scale/gpu/base": "# More of it.\nbackbone: {width: 64}\nencoder: {image: {width: 7}}\ntrainer: {max_steps: 70}\n",
    "scale/huge/over": "backbone: {width: 512}\n",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def conf(tmp_path: Path) -> tuple[str, str]:
    return "--config-dir", str(write(tmp_path, FILES))


@pytest.fixture
def menu(toys: Plugins, tmp_path: Path) -> Menu:
    return Menu(toys, write(tmp_path, FILES))


def composed(menu: Menu, *overrides: str) -> tuple[Composition, list[str]]:
    with composing.session(menu) as application:
        cfg = composing.compose(application, menu, overrides)
        return composing.to_composition(cfg, menu), composing.swapped(cfg, menu)


def at(content: object, path: str = "") -> dict[str, object]:
    """Return each option that a file sets, by its path."""
    if not isinstance(content, dict):
        return {path: content}
    return {inside: value for key in content for inside, value in at(content[key], f"{path}.{key}".lstrip(".")).items()}


@pytest.mark.parametrize(("experiment", "scale"), SCALES)
def test_every_scale_fits_together_and_what_it_sets_is_trained(experiment: str, scale: str) -> None:
    sizes = INSTALLED.scale(experiment, scale)
    assert sizes
    with composing.session(INSTALLED) as application:
        cfg = composing.compose(application, INSTALLED, [f"{EXPERIMENT}={experiment}", f"{SCALE}={scale}"])
        compat.check(composing.to_composition(cfg, INSTALLED), INSTALLED.registry)
        trained = at(composing.to_mapping(cfg, lambda path: path))
    wanted = at(sizes.content)
    assert {path: trained[path] for path in wanted} == wanted


def test_every_file_of_a_scale_is_one_of_an_experiment() -> None:
    experiments = INSTALLED.choices(EXPERIMENT)
    for scale in INSTALLED.choices(SCALE):
        assert set(INSTALLED.presets(f"{SCALE}/{scale}")) <= set(experiments)


def test_a_scale_holds_over_its_experiment_of_which_the_rest_stays(menu: Menu) -> None:
    composition, told = composed(menu, "scale=gpu", "experiment=base")
    backbone, trainer = composition["backbone"].options, composition.settings.trainer
    assert (backbone.width, backbone.layers, trainer.max_steps, trainer.devices, told) == (64, 3, 70, 2, [])


def test_what_is_typed_holds_over_a_scale(menu: Menu) -> None:
    composition, _ = composed(menu, "backbone.width=32", "experiment=base", "scale=gpu")
    assert composition["backbone"].options.width == 32


def test_a_preset_that_is_named_holds_over_a_scale(menu: Menu) -> None:
    composition, told = composed(menu, "experiment=base", "scale=gpu", "trainer=debug")
    assert composition.settings.trainer.max_steps == 20
    assert told == ["`trainer=debug` holds over `experiment=base scale=gpu` (`max_steps`)."]


def test_sizes_of_a_part_that_another_stands_for_are_left_out(menu: Menu) -> None:
    composition, told = composed(menu, "experiment=base", "scale=gpu", "backbone=lstm")
    assert composition["backbone"] == composed(menu, "backbone=lstm")[0]["backbone"]
    assert composition["encoder/image"].options.width == 7
    assert told == ["`backbone=lstm` keeps its own options: what `experiment=base scale=gpu` sets for `gru` is left out "
                    "(`layers`, `width`)."]  # fmt: skip


def test_an_experiment_has_the_scales_of_those_that_it_extends(menu: Menu) -> None:
    composition, _ = composed(menu, "experiment=over", "scale=gpu")
    assert (composition["backbone"].options.width, composition.settings.run.seed) == (64, 9)
    assert list(menu.scales("over")) == ["gpu", "huge"]
    assert list(menu.scales("base")) == ["gpu"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["scale=gpu"], "`scale=gpu`: a scale is one of an experiment, and none is chosen: write `experiment=NAME "
         "scale=gpu`. Experiments that have it: `base`, `emoji_answering`, "),
        (["experiment=over", "scale=hug"], "`scale=hug`: `hug` is no scale of `experiment=over`. Did you mean `huge`? "
         "Its scales: `gpu`, `huge`."),
        (["experiment=base", "scale=huge"], "`scale=huge`: `huge` is no scale of `experiment=base`. Its scales: `gpu`."),
        (["experiment=other", "scale=gpu"], "`scale=gpu`: `gpu` is no scale of `experiment=other`. It has no scale."),
        (["-m", "experiment=base,other", "scale=gpu"], "`scale=gpu`: `gpu` is no scale of `experiment=other`. It has no "
         "scale."),
        (["experiment=over", "-m", "scale=gpu,tpu"], "`scale=gpu,tpu`: `tpu` is no scale of `experiment=over`. Did you "
         "mean `gpu`? Its scales: `gpu`, `huge`."),
        (["experiment=base", "scale=null"], "`scale=null`: leave `scale` away to choose none. Choices: `gpu` (--config-dir), `huge` "
         "(--config-dir)."),
    ],
)  # fmt: skip
def test_a_scale_that_there_is_not_is_told_with_those_that_are(mmlm: Mmlm, conf: tuple[str, str], words: list[str],
                                                               message: str) -> None:  # fmt: skip
    code, printed, error = mmlm("train", *conf, *words)
    assert (code, printed) == (2, "")
    assert error.startswith(f"error: {message}")


def test_an_option_that_no_part_has_is_told_with_its_file(mmlm: Mmlm, conf: tuple[str, str], tmp_path: Path) -> None:
    path = write(tmp_path, {"scale/gpu/base": "backbone: {widht: 64}\n"}) / "scale" / "gpu" / "base.yaml"
    error = mmlm("train", *conf, "experiment=base", "scale=gpu")[2]
    assert f"`backbone.widht` of `{path}`" in error
    assert "Did you mean `width`?" in error


def test_a_scale_that_chooses_parts_is_refused(mmlm: Mmlm, conf: tuple[str, str], tmp_path: Path) -> None:
    path = write(tmp_path, {"scale/gpu/base": "defaults: [override /backbone: lstm]\n"}) / "scale" / "gpu" / "base.yaml"
    assert mmlm("train", *conf, "experiment=base", "scale=gpu")[2] == (
        f"error: `scale=gpu`: `{path}` has `defaults`, and a scale chooses no parts: it sets options.\n"
    )


def test_a_sweep_trains_each_scale(mmlm: Mmlm, conf: tuple[str, str], trained: list[Composition],
                                   tmp_path: Path) -> None:  # fmt: skip
    words = ["-m", "experiment=base,over", "scale=gpu", f"run.folder={tmp_path / 'runs'}"]
    assert mmlm("train", *conf, *words)[0] == 0
    assert [composition["backbone"].options.width for composition in trained] == [64, 64]
    assert mmlm("train", *conf, "-m", "experiment=over", "scale=gpu,huge", f"run.folder={tmp_path / 'runs'}")[0] == 0
    assert [composition["backbone"].options.width for composition in trained[2:]] == [64, 512]


def test_an_option_that_a_scale_sets_is_explained(mmlm: Mmlm, conf: tuple[str, str]) -> None:
    words = ("experiment=over", "scale=gpu")
    assert mmlm("explain", "backbone.width", *words, *conf)[1].splitlines()[-3:] == [
        "  set by  `scale=gpu` of --config-dir",
        "  over    8, `experiment=base` of --config-dir",
        "  over    16, the default of `backbone=gru`",
    ]
    assert "which sets it for another part" in mmlm("explain", "backbone.width", *words, "backbone=lstm", *conf)[1]


def test_what_hydra_shows_has_the_scale(mmlm: Mmlm, conf: tuple[str, str]) -> None:
    words = (*conf, "experiment=over", "scale=gpu")
    assert mmlm("train", *words, "--cfg", "job", "--package", "backbone.width")[1] == "64\n"
    assert "scale/gpu/over" in mmlm("train", *words, "--info", "defaults")[1]


def test_the_help_tells_scales_and_what_they_set(mmlm: Mmlm, conf: tuple[str, str]) -> None:
    assert "scale Other sizes of an experiment. Scales: gpu, huge." in " ".join(
        mmlm("train", *conf, "--help")[1].split()
    )
    assert "\n  Base. Scales: gpu.\n" in mmlm("train", *conf, "experiment=base", "--help")[1]
    printed = mmlm("train", *conf, "experiment=base", "scale=gpu", "--help")[1]
    assert "\n\nscale=gpu  (--config-dir)\n  More of it.\n" in printed
    assert "  backbone: {width: 64}\n" in printed
    assert "Experiments that have it: `base`, `emoji_" in mmlm("train", *conf, "scale=gpu", "--help")[1]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mmlm train sc", ["scale=", "schedule="]),
        ("mmlm train scale=", ["scale=gpu", "scale=huge"]),
        ("mmlm train experiment=base scale=", ["scale=gpu"]),
        ("mmlm train experiment=other scale=", []),
        ("mmlm explain backbone experiment=over scale=h", ["scale=huge"]),
    ],
)
def test_the_scales_of_the_experiment_in_the_line_are_completed(menu: Menu, line: str, expected: list[str]) -> None:
    assert sorted(candidates(line.split(" "), lambda: menu)) == expected


def plugin(folder: Path, name: str, files: dict[str, str]) -> ModuleType:
    """Return a plugin that gives YAML files in a package of its own."""
    write(folder / name, files)
    (folder / name / "__init__.py").write_text("")
    module = ModuleType(f"{name}_plugin")
    vars(module).update(MMLM_API=1, mmlm_config_packages=mmlm_core.hookimpl(lambda: [name]))
    return module


def test_a_plugin_gives_scales_of_its_experiments_and_of_others(toy_plugin: object, tmp_path: Path,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    one = plugin(tmp_path, "mmlm_one", {"experiment/small": "run: {seed: 1}\n", "experiment/little": "defaults: [small]\n",
                                        "scale/gpu/small": "run: {seed: 2}\n",
                                        "scale/tpu/small": "run: {seed: 3}\n"})  # fmt: skip
    other = plugin(
        tmp_path, "mmlm_other", {"scale/gpu/small": "run: {seed: 4}\n", "scale/huge/small": "run: {seed: 5}\n"}
    )
    modules = {"toys": toy_plugin, "one": one, "other": other}
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("mmlm_core.plugins._candidates", lambda: [
        (Plugin(name, f"mmlm-{name}", "1.0"), lambda module=module: module) for name, module in modules.items()
    ])  # fmt: skip
    menu = Menu(load_plugins())
    seed = {
        scale: composed(menu, "experiment=little", f"scale={scale}")[0].settings.run.seed for scale in ("tpu", "huge")
    }
    assert seed == {"tpu": 3, "huge": 5}
    assert menu.scales("small") == {"huge": "mmlm-other", "tpu": "mmlm-one"}
    for experiment in ("small", "little"):
        with pytest.raises(ConflictError, match=r"`scale/gpu=small` is given by mmlm-one .* neither wins\."):
            composed(menu, f"experiment={experiment}", "scale=gpu")

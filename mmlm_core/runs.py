"""The run folder: what a run leaves behind, written atomically, and read again without running code out of it.

config.yaml  overrides.yaml  environment.json    what was asked for, and where it ran
tokenizer/  facts.json  model.safetensors        what prediction needs
checkpoints/last.ckpt                            what an exact resume needs
metrics.jsonl  summary.json                      figures on the way, and at the end
predictions.jsonl  metrics_<split>.json          the evaluation
report.html                                      the page that shows it all
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmlm_core.composition import Composition, override, refuse_unsafe
from mmlm_core.errors import MissingPluginError, MmlmError, RunError, UnknownChoiceError, did_you_mean
from mmlm_core.files import read_json, read_yaml, replacing
from mmlm_core.plugins import VARIABLE, Plugins, load_plugins
from mmlm_core.registry import NONE, Registry
from mmlm_core.settings import RunOptions

if TYPE_CHECKING:
    from torch import nn

__all__ = ["RUN_VARIABLE", "RunFolder", "RunRecord", "clean", "create_run", "is_main", "load_weights", "read_run",
           "save_weights"]  # fmt: skip

RUN_VARIABLE = "MMLM_RUN_FOLDER"
"""The environment variable through which the processes of one job share a run folder."""


@dataclass(frozen=True)
class RunFolder:
    """Where the parts of a run lie."""

    path: Path

    @property
    def config(self) -> Path:
        """The composition."""
        return self.path / "config.yaml"

    @property
    def overrides(self) -> Path:
        """The command line's overrides."""
        return self.path / "overrides.yaml"

    @property
    def environment(self) -> Path:
        """Versions, seed, machine, command."""
        return self.path / "environment.json"

    @property
    def tokenizer_folder(self) -> Path:
        """The tokenizer's own files."""
        return self.path / "tokenizer"

    @property
    def facts(self) -> Path:
        """What the head knows of the training targets."""
        return self.path / "facts.json"

    @property
    def weights(self) -> Path:
        """The best weights so far."""
        return self.path / "model.safetensors"

    @property
    def checkpoint(self) -> Path:
        """The state from which the training resumes."""
        return self.path / "checkpoints" / "last.ckpt"

    @property
    def metrics(self) -> Path:
        """The figures of training and validation, one step a line."""
        return self.path / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        """A few validation rows with their latest predictions."""
        return self.path / "samples.json"

    @property
    def summary(self) -> Path:
        """How the training ended; it is there once it has."""
        return self.path / "summary.json"

    @property
    def predictions(self) -> Path:
        """The evaluated split's predictions, one row a line."""
        return self.path / "predictions.jsonl"

    @property
    def report(self) -> Path:
        """The page that shows the run."""
        return self.path / "report.html"

    def evaluation(self, split: str) -> Path:
        """Return the file of a split's metrics."""
        return self.path / f"metrics_{split}.json"


@dataclass(frozen=True)
class RunRecord:
    """A run that was read.

    Attributes:
        folder: Where its parts lie.
        composition: What was trained, with the overrides of the reading.
        facts: What the head knows of the training targets.
        environment: Versions, seed, machine, command.
        overrides: The overrides that it was trained with.
        plugins: The plugins that it was read with.
    """

    folder: RunFolder
    composition: Composition
    facts: dict[str, Any]
    environment: dict[str, Any]
    overrides: list[str]
    plugins: Plugins = field(repr=False)

    @property
    def tokenizer_folder(self) -> Path:
        """The tokenizer's own files."""
        return self.folder.tokenizer_folder

    @property
    def weights(self) -> Path:
        """The best weights."""
        return self.folder.weights


def is_main() -> bool:
    """Whether this process is the first of its job, the one that writes."""
    return all(os.environ.get(name, "0") == "0" for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"))


def create_run(options: RunOptions) -> RunFolder:
    """Make the folder of a new run.

    A folder without a given name is named by date and time, made unique; the processes of one job share one.

    Raises:
        RunError: A folder of the given name is there already.
    """
    given = os.environ.get(RUN_VARIABLE)
    if not is_main() and given:
        return RunFolder(Path(given))
    parent = Path(options.folder)
    name = options.name or _job_name()
    if name is None:
        stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
        return RunFolder(_make_unique(parent, stamp))
    path = parent / name
    try:
        path.mkdir(parents=True, exist_ok=not is_main())
    except FileExistsError as error:
        if path.is_dir() and not any(path.iterdir()):
            return RunFolder(path)
        raise RunError(f"`run.name={name}` names a run that is there already, `{path}`: choose another name, or go on "
                       f"with it by `mmlm train --resume {path}`.") from error  # fmt: skip
    return RunFolder(path)


def read_run(
    path: Path, overrides: Sequence[str] = (), *, plugins: Plugins | None = None, trained: bool = True
) -> RunRecord:
    """Read a run folder. Nothing in it is executed, and a name in it means what the registry says.

    Args:
        path: The folder.
        overrides: Values that replace the run's own, as `decoding.beams=4`.
        plugins: The installed plugins; None: they are loaded.
        trained: Whether weights must be there.

    Raises:
        RunError: The folder is missing, incomplete or not to be trusted.
        MissingPluginError: It names a component whose plugin is not installed.
        MmlmError: Its values do not suit the installed plugins.
    """
    folder = RunFolder(Path(path))
    _require(folder, trained)
    source = f"`{folder.config}`"
    mapping = read_yaml(folder.config)
    if not isinstance(mapping, dict):
        raise RunError(f"{source} must hold a mapping of groups, not {type(mapping).__name__}.")
    refuse_unsafe(mapping, source)
    environment = read_json(folder.environment)
    plugins = plugins or load_plugins()
    _check_plugins(mapping, plugins.registry, environment)
    composition = override(mapping, plugins.registry, overrides, source)
    chosen = composition.choices.get("tokenizer")
    used = chosen is not None and any(choice.traits.uses_tokenizer for choice in composition.choices.values())
    if used and not folder.tokenizer_folder.is_dir():
        raise RunError(f"`{folder.path}` is incomplete: `tokenizer/` is missing, and the run uses a tokenizer.")
    texts = read_yaml(folder.overrides) if folder.overrides.exists() else []
    if not isinstance(texts, list):
        raise RunError(f"`{folder.overrides}` must hold a list of overrides, not {type(texts).__name__}.")
    return RunRecord(folder, composition, read_json(folder.facts), environment, [str(text) for text in texts], plugins)


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the model's weights, atomically; tensors that are shared are written once."""
    from safetensors.torch import save_model

    with replacing(path) as temporary:
        save_model(model, str(temporary))
        temporary.chmod(0o644)  # safetensors writes for the owner alone


def load_weights(model: nn.Module, path: Path) -> None:
    """Read weights into a model.

    Raises:
        RunError: The file is missing, broken, or holds other weights than the model has.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    if not path.is_file():
        raise RunError(f"`{path}` is missing: the run has no weights yet.")
    try:
        load_model(model, str(path))
    except (SafetensorError, OSError) as error:
        raise RunError(f"`{path}` is broken: {error}.") from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise RunError(f"`{path}` does not hold the weights of this composition: {reason}") from error


def clean(folder: RunFolder) -> None:
    """Remove what killed writes have left."""
    for left in folder.path.rglob(".*.tmp"):
        left.unlink(missing_ok=True)


def _make_unique(parent: Path, stamp: str) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        path = parent / (stamp if number == 1 else f"{stamp}_{number}")
        try:
            path.mkdir()  # fails where it is there, also between two processes
        except FileExistsError:
            number += 1
        else:
            return path


def _job_name() -> str | None:
    """Return a name that every process of a job of several knows; None where this process starts the job itself."""
    variables = os.environ
    if int(variables.get("SLURM_NTASKS", "1")) > 1 and "SLURM_JOB_ID" in variables:
        return f"slurm-{variables['SLURM_JOB_ID']}"
    if int(variables.get("WORLD_SIZE", "1")) > 1 and variables.get("TORCHELASTIC_RUN_ID", "none") != "none":
        return f"job-{variables['TORCHELASTIC_RUN_ID']}"
    return None


def _require(folder: RunFolder, trained: bool) -> None:
    if not folder.path.is_dir():
        raise RunError(f"`{folder.path}` is no run folder: there is no such folder.{_near(folder.path)}")
    needed = [folder.config, folder.environment, folder.facts]
    missing = [path for path in needed if not path.is_file()]
    if missing:
        names = ", ".join(f"`{path.name}`" for path in missing)
        verb = "is" if len(missing) == 1 else "are"
        raise RunError(f"`{folder.path}` is no complete run folder: {names} {verb} missing.")
    if trained and not folder.weights.is_file():
        more = f" Go on with its training by `mmlm train --resume {folder.path}`." if folder.checkpoint.exists() else ""
        raise RunError(f"`{folder.path}` has no trained weights: `{folder.weights.name}` is missing.{more}")


def _near(path: Path) -> str:
    """Return `" Did you mean ...?"` for the run that the path nearly names, beside it or under `runs`."""
    for parent in dict.fromkeys((path.parent, Path(RunOptions().folder))):
        if not parent.is_dir():
            continue
        runs = {str(entry): entry.name for entry in sorted(parent.iterdir()) if RunFolder(entry).config.is_file()}
        guess = did_you_mean(path.name, runs.values())
        if guess:
            return next(f" Did you mean `{run}`?" for run, name in runs.items() if f"`{name}`" in guess)
    return ""


def _check_plugins(mapping: Mapping[str, Any], registry: Registry, environment: Mapping[str, Any]) -> None:
    """Say which plugins must be installed, where the run names components that no installed one gives."""
    missing: dict[str, list[str]] = {}
    listed = environment.get("plugins", [])
    if not isinstance(listed, list) or not all(isinstance(entry, Mapping) for entry in listed):
        raise RunError("`plugins` in the run's `environment.json` must be a list of mappings.")
    entries = {name: entry for entry in listed for name in entry.get("gives", [])}
    for kind, name in _chosen(mapping):
        try:
            registry.giver(kind, name)
        except UnknownChoiceError:
            entry = entries.get(f"{kind}={name}")
            if entry is None:
                continue  # reading the composition says what is known of the name
            missing.setdefault(_install_line(entry), []).append(f"`{kind}={name}`")
        except MmlmError:
            continue
    if missing:
        told = [f"{' and '.join(names)} of this run {'comes' if len(names) == 1 else 'come'} from {line}"
                for line, names in missing.items()]  # fmt: skip
        raise MissingPluginError("\n".join(told))


def _install_line(entry: Mapping[str, Any]) -> str:
    name, version = entry.get("distribution", "?"), entry.get("version", "")
    if not version:
        return f"the module `{entry.get('name')}`, which is not loaded: name it in the variable {VARIABLE}."
    return f"the plugin {name} {version}, which is not installed: `pip install {name}=={version}`."


def _chosen(mapping: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield kind and name of each component that a configuration names."""
    for group, node in mapping.items():
        nested = group in ("encoder", "projection") and isinstance(node, Mapping)
        for modality, choice in node.items() if nested else [("", node)]:
            name = choice.get("name") if isinstance(choice, Mapping) else None
            if isinstance(name, str) and name != NONE and (group != "run"):
                yield (f"{group}/{modality}" if group == "encoder" else group), name

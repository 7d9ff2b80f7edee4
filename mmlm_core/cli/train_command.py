"""`mmlm train`: composes a model from overrides, checks it, and trains it; also sweeps, and resumes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmlm_core.cli import say
from mmlm_core.cli.arguments import Parser, word_of
from mmlm_core.cli.menu import Menu
from mmlm_core.errors import OptionError
from mmlm_core.plugins import load_plugins
from mmlm_core.readiness import check_machine

if TYPE_CHECKING:
    from argparse import Namespace

    from omegaconf import DictConfig

__all__ = ["FLAGS", "run"]

FLAGS = {
    "--multirun, -m": "train once for each combination of values given as `key=a,b`; Hydra's sweepers and launchers "
    "(`hydra/sweeper=optuna`, `hydra/launcher=joblib`) work",
    "--resume RUN": "go on with a run that was interrupted, exactly as if it had not been",
    "--cfg, -c job": "print the composed configuration, and stop (`hydra`, `all`: Hydra's own, too)",
    "--package, -p PATH": "with `--cfg`: print this part of it only",
    "--resolve": "with `--cfg`: print what `${...}` stands for",
    "--info [WHAT]": "print how Hydra composes: `all`, `defaults`, `defaults-tree`, `config`, `plugins`, `searchpath`",
    "--config-dir, -cd DIR": "a folder of your own YAML files, laid out as `conf/` is",
    "--help, -h": "print this; with overrides, the options of what they choose",
}
"""The flags, each with what it does."""

SWEEP_VARIABLE = "MMLM_SWEEP_FOLDER"
"""The environment variable through which the processes of a sweep's jobs share its folder."""


def run(argv: Sequence[str]) -> None:
    """Run the command.

    Raises:
        MmlmError: Everything that is wrong with the arguments.
    """
    args = _parser().read(argv)
    if args.resume is not None:
        if args.overrides:
            raise OptionError(f"`--resume` goes on with a run as it was, so `{args.overrides[0]}` cannot be given.")
        from mmlm_core.resuming import read_unfinished

        record = read_unfinished(args.resume)
        from mmlm_core.training import resume

        resume(record)
        return
    plugins = load_plugins()
    menu = Menu(plugins, args.config_dir)
    if args.help:
        from mmlm_core.cli.train_help import train_help

        say.out(train_help(menu, args.overrides))
        return
    _compose_and_train(args, menu)


def _parser() -> Parser:
    parser = Parser("train", "", add_help=False)
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--multirun", "-m", action="store_true")
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--cfg", "-c", type=word_of("--cfg", ["job", "hydra", "all"]))
    parser.add_argument("--package", "-p")
    parser.add_argument("--resolve", action="store_true")
    told = ["all", "config", "defaults", "defaults-tree", "plugins", "searchpath"]
    parser.add_argument("--info", nargs="?", const="all", type=word_of("--info", told))
    parser.add_argument("--config-dir", "-cd", type=Path)
    return parser


def _compose_and_train(args: Namespace, menu: Menu) -> None:
    from mmlm_core.cli import composing

    with composing.session(menu) as application:
        overrides = composing.sweeping(args.overrides, menu) if args.multirun else args.overrides
        cfg = composing.compose(application, menu, overrides, sweep=args.multirun)
        if args.info:
            _info(application, args.info, composing.PRIMARY, args.overrides)
            return
        if args.cfg:
            _show(args, menu, cfg)
            return
        if args.multirun or str(cfg.hydra.mode or "").endswith("MULTIRUN"):
            _check_jobs(application, menu, args.overrides)
            _sweep(application, overrides, str(cfg.hydra.sweep.dir))
            return
        composition = composing.to_composition(cfg, menu)
        _say(composing.swapped(cfg, menu))
    composing.check(composition, menu.registry)
    check_machine(composition.settings)
    from mmlm_core.training import train

    train(composition, menu.plugins, overrides=args.overrides)


def _sweep(application: Any, overrides: Sequence[str], place: str) -> None:
    """Train the jobs of a sweep, and tell what they reached; also of those before one that failed.

    Args:
        application: What `composing.session` gives.
        overrides: Of the sweep.
        place: Its folder, which is said to Hydra, since the time in its name would be another by now.
    """
    from mmlm_core.cli import composing
    from mmlm_core.runs import is_main

    place = place if is_main() else os.environ.get(SWEEP_VARIABLE, place)
    os.environ[SWEEP_VARIABLE] = place
    quoted = place.replace("\\", "\\\\").replace('"', '\\"')
    where = [] if any(text.startswith("hydra.sweep.dir=") for text in overrides) else [f'hydra.sweep.dir="{quoted}"']
    try:
        application.multirun(config_name=composing.PRIMARY, task_function=job, overrides=[*overrides, *where])
    except BaseException:
        try:
            _compare(Path(place))
        except Exception as error:  # the job's own error is what must be told
            say.note(f"The runs of `{place}` cannot be compared: {error}")
        raise
    finally:
        del os.environ[SWEEP_VARIABLE]
    _compare(Path(place))


def _compare(folder: Path) -> None:
    """Print and write what the runs in a sweep's folder have reached; nothing where there is none.

    Raises:
        RunError: A file of a run cannot be read.
    """
    from mmlm_core.report.sweep import comparison, read_sweep, write_comparison
    from mmlm_core.runs import is_main

    runs = read_sweep(folder) if is_main() else []
    if not runs:
        return
    heads, *rows = comparison(runs)
    splits = " and ".join(f"`{split}`" for split in sorted({run.split for run in runs if run.split}))
    written = " and ".join(str(path) for path in write_comparison(folder, runs))
    say.out(f"\nthe runs of {folder}{f', on {splits}' if splits else ''}")
    say.grid(heads, rows)
    say.out(f"\ncomparison: {written}")


def _say(lines: Sequence[str]) -> None:
    """Write notes, once for all processes of a job."""
    from mmlm_core.runs import is_main

    for line in lines if is_main() else ():
        say.note(line)


def job(cfg: DictConfig) -> float | None:
    """Train one job of a sweep; Hydra's launcher calls this, maybe in another process.

    Its run lies in the folder of the sweep, under the job's number, so that no two jobs meet.

    Returns:
        The validation loss of the weights that were kept, which a sweeper may minimise; None where there was none.
    """
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import open_dict

    from mmlm_core import compat
    from mmlm_core.cli import composing, source

    own = HydraConfig.get()
    with open_dict(cfg):
        cfg.hydra = own
    menu = source.served()
    notes = composing.swapped(cfg, menu)
    composition = composing.to_composition(cfg, menu)
    compat.check(composition, menu.registry)
    overrides, settings = composing.typed_overrides(own), composition.settings.run
    settings.name = f"{settings.name}-{own.job.num}" if settings.name else str(own.job.num)
    settings.folder = str(own.sweep.dir)
    sys.stderr.write(f"job {own.job.num}: {' '.join(overrides)}\n")
    _say(notes)
    from mmlm_core.training import train

    summary = train(composition, menu.plugins, overrides=overrides) / "summary.json"
    figures = json.loads(summary.read_text(encoding="utf-8")).get("best", {}) if summary.is_file() else {}
    return figures.get("loss")


def _check_jobs(application: Any, menu: Menu, overrides: Sequence[str]) -> None:
    """Check every job of a sweep before the first is trained, where the sweep can be listed.

    Raises:
        MmlmError: With everything that is wrong with each of them.
    """
    from mmlm_core.cli import checking, composing
    from mmlm_core.errors import MmlmError, gather

    problems: list[MmlmError] = []
    for number, texts in enumerate(composing.jobs(checking.parse(overrides)) or []):
        try:
            composition = composing.to_composition(composing.compose(application, menu, texts), menu)
            composing.check(composition, menu.registry)
            check_machine(composition.settings)
        except MmlmError as error:
            problems.append(type(error)(f"job {number} ({' '.join(texts)}): {error}"))
    if problems:
        raise gather(problems)


def _info(application: Any, what: str, config_name: str, overrides: Sequence[str]) -> None:
    """Print what Hydra tells of a composition, which it does through the root logger; leave that as it was."""
    import logging

    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        application.show_info(what, config_name=config_name, overrides=overrides)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def _show(args: Namespace, menu: Menu, cfg: DictConfig) -> None:
    """Print the composed configuration, after it is checked."""
    from omegaconf import OmegaConf

    from mmlm_core.cli import composing

    if args.cfg == "job":
        composing.to_composition(cfg, menu)
        shown: Any = composing.to_mapping(cfg, lambda path: "the configuration", resolve=args.resolve)
    else:
        node = cfg if args.cfg == "all" else OmegaConf.masked_copy(cfg, "hydra")
        shown = OmegaConf.to_container(node, resolve=False, enum_to_str=True)
    if args.package:
        for part in args.package.split("."):
            if not isinstance(shown, dict) or part not in shown:
                raise OptionError(f"`--package {args.package}` is no part of this configuration.")
            shown = shown[part]
    sys.stdout.write(OmegaConf.to_yaml(shown) if isinstance(shown, dict | list) else f"{json.dumps(shown)}\n")

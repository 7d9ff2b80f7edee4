"""`mmlm train`: composes a model from overrides, checks it, and trains it; also sweeps, and resumes."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmlm_core.cli import say, sweep
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
            sweep.check_jobs(application, menu, args.overrides)
            sweep.sweep(application, overrides, str(cfg.hydra.sweep.dir))
            return
        composition = composing.to_composition(cfg, menu)
        say.notes(composing.swapped(cfg, menu))
    composing.check(composition, menu.registry)
    check_machine(composition.settings)
    from mmlm_core.training import train

    train(composition, menu.plugins, overrides=args.overrides)


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

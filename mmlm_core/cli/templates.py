"""The templates of plugins: which placeholders they have, and the files that they become.

A template is a file of `mmlm_core/templates/common` or of the kind's own folder there, which goes first. Its text and
its path have placeholders such as `NEWPACKAGE`, so that Python templates are valid Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from string import Template

__all__ = ["FOLDER", "RECIPES", "Recipe", "recipe_of", "render", "values_of"]

FOLDER = Path(__file__).parent.parent / "templates"

_PARTS = "`mmlm-fusion`, `mmlm-heads`, `mmlm-optim`, `mmlm-recurrent`, `mmlm-samples` and `mmlm-text`"
_IMAGE_PARTS = (
    "`mmlm-fusion`, `mmlm-image`, `mmlm-optim`, `mmlm-samples`, `mmlm-text`, `mmlm-transformer` and `mmlm-writing`"
)
_SPAM = "mmlm train experiment=spam_classification data.limit=128"
_EMOJI = "mmlm train data.limit=128 tokenizer=word"


@dataclass(frozen=True)
class Recipe:
    """What differs between the kinds beside their templates.

    Attributes:
        about: What the plugin is, in a sentence.
        command: What trains with it.
        preset: What its preset is called, after the component's name.
        parts: The distributions whose parts the command takes.
        needs: Packages that its modules import, beside mmlm-core.
    """

    about: str
    command: str
    preset: str = "small"
    parts: str = _PARTS
    needs: tuple[str, ...] = ("torch>=2.5",)


RECIPES: Mapping[str, Recipe] = {
    "tokenizer": Recipe(
        "A tokenizer for mmlm, of words and signs.", f"{_SPAM} tokenizer=NEWNAME trainer=debug", needs=()
    ),
    "encoder": Recipe(
        "An encoder for mmlm, of the modality NEWMODALITY, and a few samples to train on.",
        "mmlm train data=NEWNAME_samples NEWKIND=NEWNAME head=classification backbone=gru trainer=debug",
        parts="`mmlm-fusion`, `mmlm-heads`, `mmlm-optim` and `mmlm-recurrent`",
        needs=("numpy>=1.26", "torch>=2.5"),
    ),
    "encoder/text": Recipe(
        "A text encoder for mmlm: a convolution over tokens.", f"{_SPAM} NEWKIND=NEWNAME trainer=debug", "wide"
    ),
    "encoder/image": Recipe(
        "An image encoder for mmlm: patches and a small network.",
        f"{_EMOJI} NEWKIND=NEWNAME trainer=debug",
        parts=_IMAGE_PARTS,
    ),
    "projection": Recipe(
        "A projection for mmlm: a layer norm and a linear map.",
        f"{_EMOJI} encoder/image=cnn projection/image=NEWNAME trainer=debug",
        "dropout",
        _IMAGE_PARTS,
    ),
    "fusion": Recipe(
        "A fusion for mmlm that sums up each input.",
        f"{_EMOJI} encoder/image=cnn fusion=NEWNAME trainer=debug",
        "plain",
        _IMAGE_PARTS,
    ),
    "backbone": Recipe(
        "A backbone for mmlm that averages what it has read.", f"{_SPAM} backbone=NEWNAME trainer=debug"
    ),
    "head": Recipe("A head for mmlm that labels rows.", f"{_SPAM} head=NEWNAME trainer=debug", "smooth"),
    "data": Recipe(
        "A data source for mmlm whose rows are made by code.",
        "mmlm train data=NEWNAME encoder/text=embedding head=classification backbone=gru tokenizer=word trainer=debug",
        "few",
        "`mmlm-fusion`, `mmlm-heads`, `mmlm-optim`, `mmlm-recurrent` and `mmlm-text`",
        needs=(),
    ),
    "optimizer": Recipe(
        "An optimizer for mmlm: Lion.", f"{_SPAM} optimizer=NEWNAME optimizer.lr=0.001 trainer=debug", "gentle"
    ),
    "schedule": Recipe(
        "A schedule for mmlm: a power of what is left.", f"{_SPAM} schedule=NEWNAME trainer=debug", "straight", needs=()
    ),
}
"""The recipe of each kind; `encoder` is that of every modality that has none of its own."""

_NAMES = ("ABOUT", "CHOICES", "CHOICE", "CLASS", "COMMAND", "DEPENDENCIES", "DISTRIBUTION", "DOT", "KIND", "MODALITY",
          "NAME", "PACKAGE", "PARTS", "PRESET")  # fmt: skip


class _Text(Template):
    """A template whose placeholders are words of their own: `NEWCLASSOptions` has `NEWCLASS`."""

    delimiter = "NEW"
    idpattern = f"(?:{'|'.join(_NAMES)})"
    flags = re.VERBOSE


def recipe_of(kind: str) -> Recipe:
    """Return the recipe of a kind, `encoder/<any modality>` included."""
    return RECIPES.get(kind) or RECIPES[kind.partition("/")[0]]


def values_of(kind: str, name: str) -> dict[str, str]:
    """Return what each placeholder stands for.

    Args:
        kind: The component's kind.
        name: The component's name, as `point_net`.
    """
    base, _, modality = kind.partition("/")
    recipe = recipe_of(kind)
    slot = "projection/image" if base == "projection" else kind
    core = ".".join(version("mmlm-core").split(".")[:2])
    values = {
        "CHOICE": f"{slot}={name}",
        "CLASS": "".join(word[:1].upper() + word[1:] for word in name.split("_")),
        "DEPENDENCIES": ", ".join(f'"{need}"' for need in sorted((f"mmlm-core>={core}", *recipe.needs))),
        "DISTRIBUTION": f"mmlm-{name.replace('_', '-')}",
        "DOT": ".",
        "KIND": kind,
        "MODALITY": modality,
        "NAME": name,
        "PACKAGE": f"mmlm_{name}",
        "PARTS": recipe.parts,
        "PRESET": recipe.preset,
    }
    values["ABOUT"] = _Text(recipe.about).substitute(values)
    values["COMMAND"] = _Text(recipe.command).substitute(values)
    choices = {
        values["CHOICE"]: "the component, with its defaults",
        f"{values['CHOICE']}_{recipe.preset}": f"the same, with the options of a preset in `{values['PACKAGE']}/conf/`",
    }
    if recipe is RECIPES["encoder"]:
        choices[f"data={name}_samples"] = "rows made by code, to train on at once"
    values["CHOICES"] = "\n".join(f"| `{choice}` | {told} |" for choice, told in choices.items())
    return values


def render(kind: str, name: str) -> dict[str, str]:
    """Return the files of a new distribution: the text of each by its path, which is relative and has slashes.

    Args:
        kind: The component's kind.
        name: The component's name, as `point_net`.
    """
    values = values_of(kind, name)
    own = kind.replace("/", "_") if kind in RECIPES else kind.partition("/")[0]
    rendered = {}
    for folder in (FOLDER / "common", FOLDER / own):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                place = _Text(path.relative_to(folder).as_posix()).substitute(values)
                rendered[place] = _Text(path.read_text(encoding="utf-8")).substitute(values)
    return dict(sorted(rendered.items()))

"""Components and the registry that holds them: who gives what. Imports no torch.

A *component* is a declaration: kind, name, options dataclass, and the import path of the class that implements it. The
class is imported only when it is built, so listing, help, completion and composition stay light.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any

from mmlm_core.errors import ConflictError, PluginError, UnknownChoiceError, did_you_mean, one_of

__all__ = ["ALL", "KINDS", "NONE", "Component", "Need", "Registry", "Traits", "check_kind", "leaves_out"]

KINDS: Mapping[str, str] = {
    "tokenizer": "text (or another modality) to discrete ids and back",
    "encoder": "raw items of one modality to features; one kind for each modality, as `encoder/image`",
    "projection": "features of one width to features of the backbone's width",
    "fusion": "joins the inputs and the head's queries, before and between the layers of the backbone",
    "backbone": "a sequence model of one width",
    "head": "says what to read out, and turns it into a loss, predictions and metrics",
    "data": "rows of inputs and targets, by split",
    "optimizer": "updates the parameters",
    "schedule": "the learning rate's factor over a training",
}
"""The kinds of component, each with what it does. `encoder` stands for `encoder/<any modality>`."""

ALL = frozenset({"*"})
"""Every modality that a model reads."""

NO_MODALITIES: Mapping[str, str] = {
    "key": "where a row comes from",
    "prompt": "what a generated text begins with",
    "queries": "the segment that a head adds",
}
"""Words that stand beside the modalities in rows and segments, each with what it is."""

NONE = "none"
"""The choice that leaves a modality, or the tokenizer, out; of other kinds it is a name like any other."""


@dataclass(frozen=True)
class Need:
    """Something that a component needs of the others.

    Attributes:
        of: The kind it concerns: `backbone`, `encoder` (any modality), `encoder/text` (that modality), `data`, ...
        has: The component of that kind must provide at least one of these; empty: it must only be there.
        because: The reason, as the end of a sentence that begins with the component's name: "writes one token after
            another, so it must not see the tokens to come".
        every: For `encoder`: every chosen encoder must satisfy it; otherwise one of them is enough.
        unread: For `encoder`: only those count whose positions the head does not read.
        absent: The need is the other way round: there must be no such component.
        count: For `encoder`: there must be exactly so many such encoders.
    """

    of: str
    because: str
    has: frozenset[str] = frozenset()
    every: bool = False
    unread: bool = False
    absent: bool = False
    count: int | None = None

    def __str__(self) -> str:
        """Return what is needed in a few words, without the reason."""
        what = " ".join(filter(None, [self.of, " or ".join(sorted(self.has))]))
        if self.absent:
            return f"no {what}{' that the head does not read' if self.unread else ''}"
        return what if self.count is None else f"exactly {self.count} of {what}"


@dataclass(frozen=True)
class Traits:
    """What a component provides and needs, as data, so that a composition is checked before anything heavy is imported.

    The core gives these provisions a meaning (a plugin may add words of its own, which its own needs then name):

    - backbone: `causal`, `bidirectional` (what it can read), `cache` (it can step);
    - encoder: `sequence`, `grid` (features keep their height and width), `pooled`, `tokens` (each position stands for
      a token of the text, and says which: `Features.ids`);
    - projection: `positions` (one comes out for each that goes in), `grid` (of a grid it makes a smaller one);
    - fusion: `between` (it acts between the layers of the backbone), `apart` (no input sees another, nor the queries);
    - head: `queries` (it adds positions of its own), `generates`, `pairs` (its loss and its metrics compare the
      inputs of a row with each other and with those of other rows), `located` (its targets are parts of its inputs,
      so that the inputs of other rows do not go with them);
    - tokenizer: `offsets` (it tells the part of a text that each token stands for);
    - data: `input:<modality>`; `target`, a text or a label; `target:<what>`, where targets are something else, as
      `target:masks` (`tags`, `answers` that stand in a text, `numbers`); `target:any` beside `target`, where a column
      may hold either.

    Attributes:
        provides: The provisions.
        needs: The needs.
        uses_tokenizer: The class is built with `tokenizer=` and `table=` (see `mmlm_core.tokens.TokenTable`).
        fits_targets: For a head: `facts` of the class must see the training targets before the class is built.
        reads: For a head: the modalities whose own positions it reads; `ALL` of them; or none but its queries.
        special_tokens: Names of special tokens that it needs; they are added behind the tokenizer's own vocabulary, and
            `tokenizer.special(name)` is the id of each.
    """

    provides: frozenset[str] = frozenset()
    needs: tuple[Need, ...] = ()
    uses_tokenizer: bool = False
    fits_targets: bool = False
    reads: frozenset[str] = frozenset()
    special_tokens: tuple[str, ...] = ()

    @property
    def has_target(self) -> bool:
        """Whether a data source's rows have targets, of whatever kind."""
        return any(word.partition(":")[0] == "target" for word in self.provides)


@dataclass(frozen=True)
class Component:
    """One choice that a plugin gives.

    Attributes:
        kind: One of `KINDS`, or `encoder/<modality>`.
        name: The word that chooses it: lower case letters, digits and underscores.
        options: Its options dataclass; every field has a default and stands under a doc (see `option_docs`).
        target: The class, as `package.module:Class`; imported only when it is built.
        doc: One line that says what it is; the first line of the options' docstring where it is left out.
        traits: What it provides and needs; or a function of the options that says so, where options change it.
        tiny: Option values that make it as small as it can be and still work, for tests of combinations.
        suffixes: For an encoder: endings of its modality's files, as `.ply`, where their MIME type does not name it.
            For a data source: endings of the files of rows that it opens, as `.csv`.
        samples: For an encoder, a function as `package.module:function` that returns three raw items or more of its
            modality; for a head, one that returns training targets, where they are no texts (masks are of pictures of
            8 x 8 pixels). Contracts alone call it.
    """

    kind: str
    name: str
    options: type
    target: str
    doc: str = ""
    traits: Traits | Callable[[Any], Traits] = field(default_factory=Traits)
    tiny: Mapping[str, Any] = field(default_factory=dict)
    suffixes: tuple[str, ...] = ()
    samples: str = ""

    def __post_init__(self) -> None:
        """Check the declaration at the door, where its author sees it."""
        check_kind(self.kind)
        if not _is_word(self.name) or leaves_out(self.kind, self.name):
            reserved = f", and is not `{NONE}`" if leaves_out(self.kind, NONE) else ""
            raise PluginError(
                f"`{self.name}` cannot name a component of kind `{self.kind}`: "
                f"a name has lower case letters, digits and underscores{reserved}."
            )
        if not (isinstance(self.options, type) and is_dataclass(self.options)):
            raise PluginError(f"The options of `{self.kind}={self.name}` must be a dataclass, not {self.options!r}.")
        required = [f.name for f in fields(self.options) if f.default is MISSING and f.default_factory is MISSING]
        if required:
            raise PluginError(f"The option `{required[0]}` of `{self.kind}={self.name}` must have a default.")
        for what, path, kind in (("target", self.target, "Class"), ("samples", self.samples or "a:b", "function")):
            module, _, name = path.partition(":")
            if not module or not name.isidentifier():
                raise PluginError(f"The {what} of `{self.kind}={self.name}` must read `package.module:{kind}`, "
                                  f"not `{path}`.")  # fmt: skip
        unknown = sorted(set(self.tiny) - {f.name for f in fields(self.options)})
        if unknown:
            raise PluginError(f"`tiny` of `{self.kind}={self.name}` names `{unknown[0]}`, which is no option of it.")
        if not self.doc:
            object.__setattr__(self, "doc", (inspect.getdoc(self.options) or "").split("\n")[0])

    def traits_for(self, options: Any) -> Traits:
        """Return what the component provides and needs when it has these options."""
        return self.traits(options) if callable(self.traits) else self.traits

    def load(self) -> type:
        """Import and return the class.

        Raises:
            PluginError: The module cannot be imported or has no such class.
        """
        found = self._imported(self.target)
        if not isinstance(found, type):
            raise PluginError(f"`{self.target}` of `{self.kind}={self.name}` is not a class but {found!r}.")
        return found

    def load_samples(self) -> list[Any]:
        """Return what the contracts try the component on; nothing where it declares none.

        Raises:
            PluginError: The module cannot be imported or has no such function.
        """
        return list(self._imported(self.samples)()) if self.samples else []

    def _imported(self, path: str) -> Any:
        module, _, name = path.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise PluginError(f"`{self.kind}={self.name}` cannot be loaded from `{path}`: {error}") from error


def check_kind(kind: str) -> None:
    """Raise `PluginError` unless `kind` is one of `KINDS`, or `encoder/<modality>`."""
    base, slash, modality = kind.partition("/")
    if base == "encoder":
        if not modality:
            raise PluginError(f"The kind `{kind}` must name its modality, as `encoder/image` does.")
        if not _is_word(modality):
            raise PluginError(f"The modality of `{kind}` must have lower case letters, digits and underscores alone.")
        if modality in NO_MODALITIES:
            raise PluginError(f"The kind `{kind}` cannot be: `{modality}` is {NO_MODALITIES[modality]}.")
    elif slash or base not in KINDS:
        raise PluginError(f"`{kind}` is no kind of component.{did_you_mean(kind, KINDS)}{one_of(list(KINDS))}")


def _is_word(text: str) -> bool:
    """Whether a text is made of lower case letters, digits and underscores, which shells and Hydra take as it is."""
    return text.isidentifier() and text.isascii() and text == text.lower()


def leaves_out(kind: str, name: str) -> bool:
    """Whether a name is the choice that leaves a kind out, which no component can have."""
    return name == NONE and (kind == "tokenizer" or kind.startswith("encoder/"))


class Registry:
    """Components by kind and name, each with the distribution that gave it.

    Two distributions that give the same name: neither wins; choosing the name is an error that names both. A registry
    freezes after loading, and is an object like any other: nothing is global.
    """

    def __init__(self) -> None:
        self._given: dict[str, dict[str, list[tuple[str, Component]]]] = {}
        self._frozen = False
        self._asides: list[str] = []

    def register(self, component: Component, giver: str) -> None:
        """Add a component.

        Args:
            component: The declaration.
            giver: The distribution that gives it.

        Raises:
            PluginError: The registry is frozen, or this giver gave the name before.
        """
        if self._frozen:
            raise PluginError(f"`{component.kind}={component.name}` of {giver} comes too late: the registry is frozen.")
        if self.gives(giver, component.kind, component.name):
            raise PluginError(f"{giver} gives `{component.kind}={component.name}` twice.")
        self._given.setdefault(component.kind, {}).setdefault(component.name, []).append((giver, component))

    def gives(self, giver: str, kind: str, name: str) -> bool:
        """Return whether a distribution gives this name."""
        return any(giver == other for other, _ in self._given.get(kind, {}).get(name, []))

    def set_aside(self, reason: str) -> None:
        """Note a plugin that could not be used; an unknown choice repeats the note, since it may be why."""
        self._asides.append(reason)

    def asides(self) -> str:
        """Return the notes of the plugins that could not be used, as lines that end a message."""
        return "".join(f"\nSet aside: {reason}" for reason in self._asides)

    def freeze(self) -> Registry:
        """Refuse further registrations, and return the registry."""
        self._frozen = True
        return self

    def kinds(self) -> list[str]:
        """Return every kind that has a choice, with each modality's encoders as a kind of its own."""
        order = list(KINDS)
        return sorted(self._given, key=lambda kind: (order.index(kind.partition("/")[0]), kind))

    def modalities(self) -> list[str]:
        """Return the modalities that some encoder reads, sorted."""
        return sorted(kind.partition("/")[2] for kind in self._given if kind.startswith("encoder/"))

    def names(self, kind: str) -> list[str]:
        """Return the names that can be chosen for a kind, sorted; names in conflict are left out."""
        return sorted(name for name, givers in self._given.get(kind, {}).items() if len(givers) == 1)

    def conflicts(self) -> list[tuple[str, str, list[str]]]:
        """Return kind, name and givers of each name that more than one distribution gives."""
        return [
            (kind, name, [giver for giver, _ in givers])
            for kind in self.kinds()
            for name, givers in sorted(self._given[kind].items())
            if len(givers) > 1
        ]

    def get(self, kind: str, name: str) -> Component:
        """Return the component.

        Raises:
            UnknownChoiceError: No plugin gives the name.
            ConflictError: Two plugins give it.
        """
        return self._find(kind, name)[1]

    def giver(self, kind: str, name: str) -> str:
        """Return the distribution that gives a component; raises as `get` does."""
        return self._find(kind, name)[0]

    def __iter__(self) -> Iterator[Component]:
        """Iterate over every component that can be chosen, by kind and name."""
        return (self.get(kind, name) for kind in self.kinds() for name in self.names(kind))

    def _find(self, kind: str, name: str) -> tuple[str, Component]:
        givers = self._given.get(kind, {}).get(name, [])
        if len(givers) == 1:
            return givers[0]
        if givers:
            both = " and ".join(giver for giver, _ in givers)
            raise ConflictError(f"`{kind}={name}` is given by {both}: neither wins. Uninstall one of them.")
        choices = self.names(kind)
        raise UnknownChoiceError(
            f"`{name}` is no choice of `{kind}`.{did_you_mean(name, choices)}{one_of(choices)}{self.asides()}"
        )

"""What this plugin gives. Imports neither torch nor pyarrow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmlm_core import Component, Traits, hookimpl
from mmlm_samples.dialogues_options import DialoguesOptions
from mmlm_samples.emoji_commands_options import EmojiCommandsOptions
from mmlm_samples.emoji_facts_options import EmojiFactsOptions
from mmlm_samples.emoji_names_options import EmojiNamesOptions
from mmlm_samples.emoji_questions_options import EmojiQuestionsOptions
from mmlm_samples.emoji_scenes_options import EmojiScenesOptions, SceneTask
from mmlm_samples.options import EmojiOptions, PoemsOptions, ProseOptions, SpamOptions

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the components."""
    return [
        Component(
            kind="data",
            name="emoji",
            options=EmojiOptions,
            target="mmlm_samples.emoji:EmojiSource",
            traits=_emoji_traits,
            tiny={"limit": 16},
        ),
        Component(
            kind="data",
            name="emoji_names",
            options=EmojiNamesOptions,
            target="mmlm_samples.emoji_names:EmojiNamesSource",
            traits=Traits(provides=frozenset({"input:text", "target"})),
            tiny={"limit": 16},
        ),
        Component(
            kind="data",
            name="emoji_facts",
            options=EmojiFactsOptions,
            target="mmlm_samples.emoji_facts:EmojiFactsSource",
            traits=Traits(provides=frozenset({"input:text", "target"})),
            tiny={"limit": 16},
        ),
        Component(
            kind="data",
            name="emoji_commands",
            options=EmojiCommandsOptions,
            target="mmlm_samples.emoji_commands:EmojiCommandsSource",
            traits=Traits(provides=frozenset({"input:text", "target"})),
            tiny={"rows": 100, "limit": 16},
        ),
        Component(
            kind="data",
            name="dialogues",
            options=DialoguesOptions,
            target="mmlm_samples.dialogues:DialoguesSource",
            traits=Traits(provides=frozenset({"target:messages"})),
            tiny={"limit": 16},
        ),
        Component(
            kind="data",
            name="emoji_questions",
            options=EmojiQuestionsOptions,
            target="mmlm_samples.emoji_questions:EmojiQuestionsSource",
            traits=Traits(provides=frozenset({"input:image", "input:text", "target"})),
            tiny={"limit": 16, "kinds": ["is_name"]},
        ),
        Component(
            kind="data",
            name="emoji_scenes",
            options=EmojiScenesOptions,
            target="mmlm_samples.emoji_scenes:EmojiScenesSource",
            traits=_scene_traits,
            tiny={"limit": 16, "size": 32},
        ),
        *(
            Component(
                kind="data",
                name=name,
                options=options,
                target=f"mmlm_samples.{name}:{name.capitalize()}Source",
                traits=_text_traits,
                tiny={"limit": 16},
            )
            for name, options in (("spam", SpamOptions), ("poems", PoemsOptions), ("prose", ProseOptions))
        ),
    ]


def _scene_traits(options: EmojiScenesOptions) -> Traits:
    texts = {"input:text"} if options.task is SceneTask.named else set()
    return Traits(
        provides=frozenset({"input:image", "target:masks", *texts}),
    )


def _emoji_traits(options: EmojiOptions) -> Traits:
    return _traits(options.inputs, target=True)


def _text_traits(options: SpamOptions | PoemsOptions | ProseOptions) -> Traits:
    return _traits(options.inputs, target=options.target is not None)


def _traits(inputs: Mapping[str, Any], target: bool) -> Traits:
    provides = {f"input:{modality}" for modality, columns in inputs.items() if columns}
    return Traits(provides=frozenset(provides | ({"target"} if target else set())))

"""What this plugin gives: a new modality, `video`, and data to train it on. Imports neither torch nor PyAV."""

from __future__ import annotations

from mmlm_core import Component, Traits, hookimpl
from mmlm_video.options import FramesOptions, MotionsOptions

__all__ = ["MMLM_API", "mmlm_components", "mmlm_config_packages"]

MMLM_API = 1


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the encoder and the data source."""
    return [
        Component(
            kind="encoder/video",
            name="frames",
            options=FramesOptions,
            target="mmlm_video.frames:Frames",
            traits=_frames_traits,
            tiny={"frames": 2, "image_options": {"size": 8, "channels": [4], "width": 8}},
            suffixes=(".flv", ".m4v", ".mkv", ".ogv", ".wmv"),  # of other films, as `.mp4`, the MIME type is known
        ),
        Component(
            kind="data",
            name="motions",
            options=MotionsOptions,
            target="mmlm_video.motions:MotionsSource",
            traits=Traits(provides=frozenset({"input:video", "target"})),
            tiny={"rows": 80, "frames": 4},
        ),
    ]


@hookimpl
def mmlm_config_packages() -> list[str]:
    """Return the package of the experiments."""
    return ["mmlm_video.conf"]


def _frames_traits(options: FramesOptions) -> Traits:
    return Traits(provides=frozenset({"sequence" if options.pooling.keeps_frames else "pooled"}))

"""What this plugin gives. Imports neither torch nor NumPy."""

from __future__ import annotations

from mmlm_audio.options import LogmelConvOptions, LogmelTransformerOptions, WaveConvOptions
from mmlm_audio.tones_options import TonesOptions
from mmlm_core import Component, Traits, hookimpl

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1

_SEQUENCE = Traits(provides=frozenset({"sequence"}))
_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".mp3", ".aiff", ".aif", ".au")
_SMALL = {"sample_rate": 4000, "bands": 8, "channels": 8, "width": 16}


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the encoders of sound and the data source."""
    return [
        Component("encoder/audio", "logmel_conv", LogmelConvOptions, "mmlm_audio.logmel_conv:LogmelConv",
                  traits=_SEQUENCE, tiny=_SMALL, suffixes=_SUFFIXES),
        Component("encoder/audio", "logmel_transformer", LogmelTransformerOptions,
                  "mmlm_audio.logmel_transformer:LogmelTransformer", traits=_SEQUENCE,
                  tiny={**_SMALL, "depth": 1, "heads": 2}, suffixes=_SUFFIXES),
        Component("encoder/audio", "wave_conv", WaveConvOptions, "mmlm_audio.wave_conv:WaveConv", traits=_SEQUENCE,
                  tiny={"sample_rate": 4000, "channels": 8, "width": 16, "kernels": [10, 5, 4], "strides": [5, 4, 4]},
                  suffixes=_SUFFIXES),
        Component("data", "tones", TonesOptions, "mmlm_audio.tones:TonesSource",
                  traits=Traits(provides=frozenset({"input:audio", "target"})), tiny={"rows": 20, "most": 4}),
    ]  # fmt: skip

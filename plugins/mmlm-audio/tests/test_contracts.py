"""The contracts of mmlm; `items` says what a sound may be."""

import numpy as np

from mmlm_audio.wav import wav_bytes
from mmlm_core.testing import contracts

RANDOM = np.random.default_rng(0)
SOUNDS = [
    wav_bytes(RANDOM.uniform(-0.5, 0.5, 4800), 16000),
    {"array": np.sin(np.arange(4000) / 5) * np.linspace(0, 1, 4000), "sampling_rate": 8000},
    {"array": RANDOM.normal(size=(2000, 2)), "sampling_rate": 11025},
]

globals().update(contracts("mmlm_audio.plugin", items={"audio": SOUNDS}))

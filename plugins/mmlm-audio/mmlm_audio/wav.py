"""Writes samples as the bytes of a WAV file."""

from __future__ import annotations

import io
import wave

import numpy as np
from numpy.typing import NDArray

__all__ = ["wav_bytes"]


def wav_bytes(samples: NDArray[np.float64], rate: int) -> bytes:
    """Return a mono WAV file of 16 bit.

    Args:
        samples: From -1 to 1; what lies beyond is clipped. Shape: [samples].
        rate: Samples per second.
    """
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes())
    return stream.getvalue()

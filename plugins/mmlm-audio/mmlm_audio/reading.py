"""Brings whatever a data source or a user gives to one channel of samples at the rate that is asked for, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from io import BytesIO
from numbers import Real
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmlm_audio.truncation import missing_bytes
from mmlm_core.errors import DataError, quoted

__all__ = ["load_sound"]

Samples = NDArray[np.float32]


def load_sound(item: Any, sample_rate: int, most_seconds: float, cut: bool = False) -> Samples:
    """Return a sound as one channel; several channels are averaged.

    Args:
        item: A path, the bytes of a file (WAV, FLAC, Ogg, MP3 and what else libsndfile reads), a mapping with `bytes`
            or `path`, or one with `array` and `sampling_rate` (both as Hugging Face `datasets` has them). An array has
            the shape [samples] or [samples, channels], of floats from -1 to 1 or of integers of any width.
        sample_rate: Samples per second to return.
        most_seconds: The longest sound that is taken.
        cut: Cut a longer sound; else it is refused.

    Shape: [samples], float32.

    Raises:
        DataError: It is no sound, is empty, truncated, longer than `most_seconds`, or has a sample that is not finite.
    """
    name = _name(item)
    if isinstance(item, Mapping) and item.get("array") is not None:
        samples, given_rate = _array(item["array"], name), _rate(item.get("sampling_rate"), name)
        seconds = len(samples) / given_rate
    else:
        samples, given_rate, seconds = _decoded(_content(item, name), name, most_seconds)
    if not len(samples):
        raise DataError(f"{name} has no samples: a sound of zero seconds.")
    if seconds > most_seconds and not cut:
        raise DataError(f"{name} is {seconds:,.4g} seconds long; `most_seconds` of the sound encoder is "
                        f"{most_seconds:g}: raise that, or cut with `encoder.audio.cut=true`.")  # fmt: skip
    samples = samples[: max(1, math.floor(most_seconds * given_rate))]
    strange = np.flatnonzero(~np.isfinite(samples).reshape(len(samples), -1).all(1))
    if len(strange):
        raise DataError(f"{name} has {len(strange):,} of {len(samples):,} samples that are not finite; the first at "
                        f"{strange[0] / given_rate:.3f} seconds.")  # fmt: skip
    if samples.ndim == 2:
        samples = samples.mean(1, dtype=np.float64)
    return _resampled(samples.astype(np.float32), given_rate, sample_rate)


def _name(item: Any) -> str:
    if isinstance(item, Mapping) and item.get("path"):
        item = item["path"]
    if isinstance(item, str | PathLike):
        return f"`{fspath(item)}`"
    return "a sound given as bytes" if isinstance(item, bytes | bytearray | memoryview) else "a sound"


def _content(item: Any, name: str) -> bytes:
    """Return the bytes of a file."""
    if isinstance(item, Mapping) and ("bytes" in item or "path" in item):
        item = item.get("bytes") or item.get("path")
    if isinstance(item, str | PathLike):
        try:
            content = Path(item).read_bytes()
        except (OSError, ValueError) as error:
            raise DataError(f"{name} cannot be opened: {getattr(error, 'strerror', None) or error}.") from error
    elif isinstance(item, bytes | bytearray | memoryview):
        content = bytes(item)
    else:
        raise DataError("A sound must be a path, bytes, or a mapping with `array` and `sampling_rate`, "
                        f"not {type(item).__name__}.")  # fmt: skip
    if not content:
        raise DataError(f"{name} is empty: zero bytes.")
    return content


def _decoded(content: bytes, name: str, most_seconds: float) -> tuple[NDArray[Any], int, float]:
    """Return samples up to the longest that is taken and a little more, their rate, and the seconds of the whole."""
    import soundfile

    missing = missing_bytes(content)
    if missing:
        raise DataError(f"{name} is truncated: {missing}.")
    try:
        with soundfile.SoundFile(BytesIO(content)) as file:
            rate, frames = file.samplerate, file.frames
            wanted = min(frames, math.floor(most_seconds * rate) + 1)
            samples = file.read(wanted, dtype="float32", always_2d=True)
    except Exception as error:  # libsndfile's own error, and on broken files what its wrapper meets
        raise DataError(f"{name} cannot be read as a sound: {_reason(error)}.") from error
    if len(samples) < wanted:
        raise DataError(f"{name} is truncated: it ends after {len(samples) / rate:.3f} of {frames / rate:.3f} seconds.")
    return samples, rate, frames / rate


def _reason(error: Exception) -> str:
    return (str(getattr(error, "error_string", "")) or str(error) or type(error).__name__).strip().rstrip(".")


def _array(given: Any, name: str) -> NDArray[Any]:
    """Return an array's samples as floats from -1 to 1, one row each."""
    try:
        samples = np.asarray(given)
    except Exception as error:  # such as lists of different lengths, or a tensor on another device
        raise DataError(f"{name} cannot be read as an array: {str(error).rstrip('.')}.") from error
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and 0 < samples.shape[0] < samples.shape[1]):
        shape = " x ".join(map(str, samples.shape)) or "that of a number"
        hint = " Transposed, it has." if samples.ndim == 2 else ""
        raise DataError(f"{name} must have the shape [samples] or [samples, channels], not {shape}.{hint}")
    if np.issubdtype(samples.dtype, np.floating):
        return samples
    if not np.issubdtype(samples.dtype, np.integer):
        raise DataError(f"{name} must hold real numbers, not the type {samples.dtype}.")
    info = np.iinfo(samples.dtype)
    middle = 0 if info.min < 0 else (info.max + 1) // 2
    return (samples.astype(np.float64) - middle) / (info.max - middle + 1)


def _rate(given: Any, name: str) -> int:
    rate = float(given) if isinstance(given, Real) and not isinstance(given, bool) else math.nan
    if not 1 <= rate <= 10_000_000 or rate != int(rate):
        raise DataError(f"`sampling_rate` of {name} must be a whole number of samples per second, not {quoted(given)}.")
    return int(rate)


def _resampled(samples: Samples, given_rate: int, wanted: int) -> Samples:
    if given_rate == wanted:
        return samples
    import soxr

    made: Samples = soxr.resample(samples, given_rate, wanted)
    return made

"""Writes token after token with any model whose head generates.

    writing     what is asked for: a batch's texts (`generate`), predictions of any model (`predict`)
    streaming   one row's text as it comes (`stream`)
    steps       the loop of greedy decoding and sampling
    beams       the loop of beam search
    choosing    which token is taken: the likeliest, or a drawn one
    rules       which tokens may follow: repetition, constraints of the head
    stopping    when a text is over: the end token, stop strings
    int8        linear maps in int8, for a CPU

How a model reads, with a cache or without, is `mmlm_core.reading`.
"""

from mmlm_core.generation.generated import Generated
from mmlm_core.generation.int8 import to_int8
from mmlm_core.generation.streaming import stream
from mmlm_core.generation.writing import generate, predict

__all__ = ["Generated", "generate", "predict", "stream", "to_int8"]

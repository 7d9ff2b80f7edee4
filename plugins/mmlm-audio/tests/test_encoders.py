"""The encoders: lengths, rates, padding, and what each follows."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from mmlm_audio.logmel_conv import LogmelConv
from mmlm_audio.logmel_transformer import LogmelTransformer
from mmlm_audio.options import Convolution, LogmelConvOptions, LogmelTransformerOptions, WaveConvOptions
from mmlm_audio.wave_conv import WaveConv
from mmlm_core.errors import DataError, OptionError

SMALL = {"sample_rate": 8000, "bands": 20, "channels": 8, "width": 16}


def make(name: str, **options):
    torch.manual_seed(0)
    if name == "wave":
        return WaveConv(WaveConvOptions(**{"sample_rate": 8000, "channels": 8, "width": 16, **options})).eval()
    if name == "transformer":
        return LogmelTransformer(LogmelTransformerOptions(**{**SMALL, "depth": 2, "heads": 2, **options})).eval()
    return LogmelConv(LogmelConvOptions(**{**SMALL, "convolution": Convolution(name), **options})).eval()


NAMES = ["time", "time_frequency", "transformer", "wave"]
each = pytest.mark.parametrize("name", NAMES)


def sound(seconds: float, rate: int = 8000, seed: int = 0):
    return {"array": np.random.default_rng(seed).normal(size=round(seconds * rate)), "sampling_rate": rate}


def processed(encoder, *seconds):
    return [encoder.processor().process(sound(each, seed=seed)) for seed, each in enumerate(seconds)]


@each
def test_padding_a_batch_further_changes_no_result(name):
    encoder = make(name)
    batch = encoder.processor().collate(processed(encoder, 1.0, 0.43, 0.171), None)
    key = "wave" if name == "wave" else "mel"
    axes = (0, 5000) if name == "wave" else (0, 0, 0, 91)
    with torch.no_grad():
        features = encoder(batch)
        for filler in (0.0, 1e3):  # even where a padding is not zero
            more = functional.pad(batch[key], axes, value=filler)
            further = encoder({**batch, key: more})
            assert further.values.shape[1] > features.values.shape[1]
            assert torch.equal(further.valid.sum(1), features.valid.sum(1))
            for ours, theirs, valid in zip(features.values, further.values, features.valid, strict=True):
                if filler == 0 or name == "wave":
                    torch.testing.assert_close(ours[valid], theirs[: len(valid)][valid])


@each
@pytest.mark.parametrize("seconds", [0.15, 0.5, 1.0, 1.234])
def test_a_sound_has_the_positions_that_its_processor_tells(name, seconds):
    encoder = make(name)
    items = processed(encoder, seconds, 2.0)
    features = encoder(encoder.processor().collate(items, None))
    assert features.valid.sum(1).tolist() == [int(item["positions"]) for item in items]


@each
def test_the_rate_says_how_many_positions_a_second_has(name):
    encoder = make(name)
    (item,) = processed(encoder, 20.0)
    assert encoder(encoder.processor().collate([item], None)).rate == pytest.approx(
        int(item["positions"]) / 20, rel=0.01
    )


@pytest.mark.parametrize(("subsampling", "positions"), [(1, 98), (2, 49), (4, 25), (8, 13)])
@pytest.mark.parametrize("convolution", list(Convolution))
def test_subsampling_joins_as_many_spectra(subsampling, positions, convolution):
    encoder = make(convolution, subsampling=subsampling)
    (item,) = processed(encoder, 1.0)
    assert len(item["mel"]) == 98  # of 25 ms, every 10 ms
    assert encoder(encoder.processor().collate([item], None)).values.shape == (1, positions, 16)


def test_window_and_hop_are_milliseconds_at_any_sample_rate():
    for rate in (8000, 16000, 44100):
        encoder = make("time", sample_rate=rate, window=40.0, hop=20.0)
        item = encoder.processor().process(sound(1.0, 22050))
        assert len(item["mel"]) == 1 + (1000 - 40) // 20


def test_the_wave_encoder_of_the_paper_gives_49_positions_a_second_from_400_samples_on():
    """wav2vec 2.0, section 4.2: a stride of about 20 ms and a receptive field of 400 samples of 16 kHz."""
    options = WaveConvOptions()
    assert options.receptive == 400 and options.positions_per_second == 50
    encoder = WaveConv(WaveConvOptions(channels=4, width=4)).eval()
    items = [encoder.processor().process({"array": np.ones(n), "sampling_rate": 16000}) for n in (16000, 400)]
    assert [int(item["positions"]) for item in items] == [49, 1]


@each
def test_a_sound_that_is_too_short_is_refused(name):
    encoder = make(name)
    least = 400 if name == "wave" else 200
    processor = encoder.processor()
    encoder(processor.collate([processor.process({"array": np.ones(least), "sampling_rate": 8000})], None))
    message = ("The sound is 49.88 ms long; one position of the sound encoder reads 50 ms." if name == "wave" else
               "The sound is 24.88 ms long, shorter than one window: `window` of the sound encoder is 25 ms.")  # fmt: skip
    with pytest.raises(DataError) as caught:
        processor.process({"array": np.ones(least - 1), "sampling_rate": 8000})
    assert str(caught.value) == message


@each
def test_a_late_sample_reaches_the_first_position_of_the_transformer_alone(name):
    """The transformer reads both ways; convolutions read their neighbourhood."""
    encoder = make(name, **({} if name == "wave" else {"normalize": False}))
    samples = np.random.default_rng(0).normal(size=8000)
    changed = samples.copy()
    changed[7000:] *= 3
    processor = encoder.processor()
    items = [processor.process({"array": array, "sampling_rate": 8000}) for array in (samples, changed)]
    if name == "wave":  # its normalisation is over the whole sound
        items = [
            {**item, "wave": torch.from_numpy(array).float()}
            for item, array in zip(items, (samples, changed), strict=True)
        ]
    with torch.no_grad():
        first, second = (encoder(processor.collate([item], None)).values[0] for item in items)
    assert torch.equal(first[0], second[0]) == (name != "transformer")
    assert not torch.equal(first[-1], second[-1])


@each
def test_a_picture_is_drawn_of_any_sound_that_can_be_read(name):
    picture = make(name).processor().picture(sound(0.5))
    assert picture.mode == "RGB" and picture.height == 64 and 16 <= picture.width <= 128


@each
def test_a_rising_tone_is_drawn_from_the_lower_left_to_the_upper_right(name):
    time = np.arange(8000) / 8000
    sweep = np.sin(2 * np.pi * (200 * time + 1500 * time**2))
    picture = np.asarray(make(name).processor().picture({"array": sweep, "sampling_rate": 8000}).convert("L"))
    darkest = picture.argmin(0)  # rows count from the top
    assert darkest[2] > darkest[picture.shape[1] // 2] > darkest[-3]


@pytest.mark.parametrize(
    ("make_options", "message"),
    [
        (lambda: LogmelConvOptions(subsampling=3), "`subsampling` must be a power of two, not 3."),
        (lambda: LogmelConvOptions(hop=30.0), "`hop` must be at most `window`, 25 ms, or sound between is not read; not 30."),
        (lambda: LogmelConvOptions(highest=9000.0),
         "`highest` must be above `lowest`, 0, and at most half of `sample_rate`, 8000; not 9000."),
        (lambda: LogmelConvOptions(most_seconds=0.0), "`most_seconds` must be from 0.01 to 3600, not 0.0."),
        (lambda: LogmelTransformerOptions(heads=3), "`width` must be a multiple of `heads` (3), not 128."),
        (lambda: WaveConvOptions(kernels=[3]), "`strides` must be as many as `kernels`, 1, not 7."),
        (lambda: WaveConvOptions(kernels=[]), "`kernels` must have at least one layer, each at least 1, not []."),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(make_options, message):
    with pytest.raises(OptionError) as caught:
        make_options()
    assert str(caught.value) == message


@pytest.mark.parametrize(("name", "stages"), [("time", 0), ("transformer", 3), ("wave", 7)])
def test_stages_are_what_reads_a_sound_first_to_last(name, stages):
    encoder = make(name)
    listed = [module for stage in encoder.stages() for module in stage]
    order = []
    for module in listed:
        module.register_forward_hook(lambda module, _, __: order.append(module))
    encoder(encoder.processor().collate(processed(encoder, 0.5), None))
    assert len(encoder.stages()) == stages and order == listed

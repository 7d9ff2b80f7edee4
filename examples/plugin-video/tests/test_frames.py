"""The encoder, against what it is said to compute."""

import pytest
import torch
from PIL import Image

from mmlm_core.errors import OptionError, UnknownChoiceError
from mmlm_video.frames import Frames
from mmlm_video.options import FramesOptions, Pooling
from mmlm_video.plugin import mmlm_components

CNN = {"size": 16, "channels": [4, 8], "width": 12}
PICTURES = [Image.new("RGB", (20, 20), (40 * place, 255 - 40 * place, 90)) for place in range(6)]
FILMS = [PICTURES, PICTURES[:2], PICTURES[::-1]]


def encoder(pooling: str = "none", frames: int = 6, image: str = "cnn", options: dict | None = None) -> Frames:
    torch.manual_seed(0)
    return Frames(FramesOptions(image, CNN if options is None else options, frames, pooling)).eval()  # type: ignore[arg-type]


def items(made: Frames, films: list[list[Image.Image]] = FILMS) -> dict[str, torch.Tensor]:
    processor = made.processor()
    return processor.collate([processor.process(film) for film in films], None)


def pictures_alone(made: Frames, film: list[Image.Image]) -> torch.Tensor:
    """Return the mean of the image encoder's positions of each picture, by itself."""
    processor = made.image.processor()
    each = [made.image(processor.collate([processor.process(picture)], None)) for picture in film]
    return torch.stack([features.values[0].mean(0) for features in each])


def test_each_frame_is_a_position_with_its_time_added() -> None:
    made = encoder()
    features = made(items(made))
    assert features.values.shape == (3, 6, 12) and features.valid.sum(1).tolist() == [6, 2, 6]
    times = features.values[0] - pictures_alone(made, PICTURES)
    torch.testing.assert_close(times[0], torch.tensor([0.0, 1.0] * 6), atol=1e-5, rtol=0)  # sin 0, cos 0
    torch.testing.assert_close(features.values[1, :2] - pictures_alone(made, PICTURES[:2]), times[:2])


def test_the_mean_is_that_of_the_frames_and_knows_no_order() -> None:
    made = encoder("mean")
    features = made(items(made))
    assert features.values.shape == (3, 1, 12) and features.mask is None
    torch.testing.assert_close(features.values[1, 0], pictures_alone(made, PICTURES[:2]).mean(0))
    torch.testing.assert_close(features.values[0], features.values[2])


def test_the_gru_gives_its_state_after_the_last_frame_and_knows_the_order() -> None:
    made = encoder("gru")
    features = made(items(made))
    for film, values in zip(FILMS, features.values, strict=True):
        states = made.gru(pictures_alone(made, film).unsqueeze(0))[1]  # type: ignore[misc]
        torch.testing.assert_close(values, states[0])
    assert not torch.allclose(features.values[0], features.values[2], atol=1e-3)


@pytest.mark.parametrize("pooling", Pooling)
def test_more_padding_changes_nothing(pooling: Pooling) -> None:
    made = encoder(pooling)
    alone, beside = made(items(made, [PICTURES[:2]])), made(items(made))
    length = alone.values.shape[1]
    torch.testing.assert_close(alone.values[0], beside.values[1, :length])


def test_a_film_longer_than_its_frames_is_thinned_out_evenly() -> None:
    made = encoder(frames=3)
    given = made.processor().process(PICTURES)["pixels"]
    assert torch.equal(given, made.processor().process(PICTURES[1::2])["pixels"])


def test_any_image_encoder_that_is_installed_will_do() -> None:
    made = encoder(image="vit", options={"size": 16, "patch": 8, "width": 8, "depth": 1, "heads": 2})
    assert made.width == 8 and made(items(made)).values.shape == (3, 6, 8)


def test_its_random_changes_of_pictures_are_not_made() -> None:
    made = encoder()
    processed = [made.processor().process(film) for film in FILMS]
    still, training = (made.processor().collate(processed, generator) for generator in (None, torch.Generator()))
    assert all(torch.equal(still[name], training[name]) for name in still)


@pytest.mark.parametrize("pooling", Pooling)
def test_what_it_provides_follows_its_pooling(pooling: Pooling) -> None:
    provided = mmlm_components()[0].traits_for(FramesOptions(pooling=pooling)).provides
    assert provided == {"sequence" if pooling is Pooling.none else "pooled"}


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"image": "cnnn"}, UnknownChoiceError,
         "`encoder.video.image=cnnn`: `cnnn` is no choice of `encoder/image`. Did you mean `cnn`? Choices: "),
        ({"image_options": {"widht": 8}}, UnknownChoiceError, "`encoder.video.image_options.widht` of "
         "`encoder.video.image=cnn` is no option. Did you mean `width`? Choices: "),
        ({"image_options": {"width": "wide"}}, OptionError, "`encoder.video.image_options.width` of "
         "`encoder.video.image=cnn` must be an integer, not `wide`."),
        ({"frames": 0}, OptionError, "`frames` must be at least 1, not 0."),
        ({"pooling": "men"}, OptionError, "`pooling` must be one of `none`, `mean`, `gru`, not `men`. Did you mean `mean`?"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named(given: dict[str, object], error: type[Exception], told: str) -> None:
    with pytest.raises(error) as caught:
        Frames(FramesOptions(**given))  # type: ignore[arg-type]
    assert str(caught.value).startswith(told)

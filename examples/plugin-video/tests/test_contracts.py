"""The contracts of mmlm; `items` says what a film may be, since the core knows no such modality."""

from PIL import Image

from mmlm_core.testing import contracts
from mmlm_video.motions import film

COLOURS = ["red", "green", "blue", "white", "black"]
PICTURES = [Image.new("RGB", (32, 24), colour) for colour in COLOURS]
FILMS = [film(PICTURES), PICTURES[:2], film(PICTURES[2:3])]

globals().update(contracts("mmlm_video.plugin", items={"video": FILMS}))

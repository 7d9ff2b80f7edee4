"""The text decides which of two things is segmented, and the controls show it."""

import torch

from mmlm_core.composition import Composition
from mmlm_core.data import collate_examples
from mmlm_core.evaluation import _controls, _judge
from mmlm_core.plugins import load_plugins
from mmlm_core.prediction import Predictor
from mmlm_core.preparation import prepare

PARTS = {
    "data": {"name": "emoji_scenes", "task": "named", "size": 32, "families": ["noto"]},
    "tokenizer": {"name": "word"},
    "encoder": {
        "image": {"name": "cnn", "size": 32, "channels": [16, 32], "stride": 2, "augment": {"enabled": False}},
        "text": {"name": "embedding"},
    },
    "projection": {"image": {"name": "linear"}, "text": {"name": "linear"}},
    "fusion": {"name": "concat"},
    "backbone": {"name": "transformer", "width": 32, "depth": 2, "heads": 4},
    "head": {
        "name": "segmentation",
        "decoder": "convolution",
        "channels": 16,
        "dropout": 0.0,
        "dice": 1.0,
        "classes": ["others", "named"],
    },
    "optimizer": {"name": "adamw"},
    "schedule": {"name": "constant"},
}


def test_a_text_of_another_row_points_to_another_thing():
    torch.manual_seed(0)
    prepared = prepare(Composition.from_mapping(load_plugins().registry, PARTS))
    model, rows = prepared.model.train(), prepared.source.read("train")[:4]  # two scenes, each with two texts
    batch = collate_examples(rows, model.processors(), model.head.target_processor())
    optimizer = torch.optim.Adam(model.parameters(), 0.003)
    for _ in range(100):
        optimizer.zero_grad()
        model.loss(batch).mean.backward()
        optimizer.step()
    predictor = Predictor(prepared.composition, model)
    judged = _judge(predictor, rows, False, "")
    found = model.head.metrics(judged.predictions, [row.target for row in rows])
    controls = _controls(predictor, judged, [], False)
    assert list(controls) == ["most frequent answer", "shuffled inputs", "shuffled image", "shuffled text"]
    assert found["iou_named"] > 0.7
    assert controls["shuffled text"]["iou_named"] < 0.6 * found["iou_named"]
    assert controls["most frequent answer"]["mean_iou"] < 0.5

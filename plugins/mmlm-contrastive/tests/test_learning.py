"""A small CLIP learns which pictures and names belong together, and its control does not."""

import torch

from mmlm_core.composition import Composition
from mmlm_core.data import collate_examples
from mmlm_core.evaluation import SHUFFLED, _controls, _judge
from mmlm_core.plugins import load_plugins
from mmlm_core.prediction import Predictor
from mmlm_core.preparation import prepare


def test_what_it_has_learnt_is_lost_where_one_of_the_modalities_is_another_rows():
    mapping = {
        "data": {"name": "emoji", "limit": 12, "inputs": {"image": "picture", "text": "label_en"}},
        "tokenizer": {"name": "word"},
        "encoder": {
            "image": {"name": "cnn", "channels": [8, 16], "augment": {"enabled": False}},
            "text": {"name": "embedding"},
        },
        "projection": {"image": {"name": "linear"}, "text": {"name": "linear"}},
        "fusion": {"name": "late"},
        "backbone": {"name": "none", "width": 32},
        "head": {"name": "contrastive", "width": 16},
        "optimizer": {"name": "adamw"},
        "schedule": {"name": "constant"},
    }
    prepared = prepare(Composition.from_mapping(load_plugins().registry, mapping))
    model, rows = prepared.model.train(), prepared.source.read("train")
    batch = collate_examples(rows, model.processors(), model.head.target_processor())
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(200):
        optimizer.zero_grad()
        model.loss(batch).mean.backward()
        optimizer.step()
    predictor = Predictor(prepared.composition, model)
    judged = _judge(predictor, rows, False, "")
    found = model.head.metrics(judged.predictions, [None] * len(rows))
    controls = _controls(predictor, judged, [row.target for row in rows], False)
    assert list(controls) == [SHUFFLED]
    assert found["recall_at_1"] > 0.8
    assert controls[SHUFFLED]["recall_at_1"] < 0.3

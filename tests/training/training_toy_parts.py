"""The classes of the toy plugin."""

import math
import time
from collections import Counter
from types import MappingProxyType

import torch
from torch import nn

from mmlm_core.errors import DataError
from mmlm_core.interfaces import (
    Backbone,
    DataSource,
    Encoder,
    Fusion,
    Head,
    Optimizer,
    Processor,
    Projection,
    Schedule,
    TargetProcessor,
)  # fmt: skip
from mmlm_core.types import Example, Features, Loss, join


class Points(DataSource):
    def __init__(self, options):
        self.options = options

    def splits(self):
        return ["train", *["validation"] * self.options.validation, *["test"] * self.options.test]

    def read(self, split):
        size = self.options.rows if split == "train" else 12
        generator = torch.Generator().manual_seed(len(split))
        points = torch.randn(size, 3, generator=generator).tolist()
        return [
            Example(f"{split}:{i}", {"point": [p]}, "small" if abs(sum(p)) < 1 else "plus" if sum(p) > 0 else "minus")
            for i, p in enumerate(points)
        ]


class PointProcessor(Processor):
    def process(self, item):
        return {"values": torch.tensor(item)}

    def blank(self):
        return {"values": torch.zeros(3)}

    def collate(self, items, generator):
        values = torch.stack([item["values"] for item in items])
        return {
            "values": values if generator is None else values + 0.1 * torch.randn(values.shape, generator=generator)
        }


class PointEncoder(Encoder):
    def __init__(self, options):
        super().__init__()
        self.width = options.width
        self.linear = nn.Linear(3, self.width)

    def processor(self):
        return PointProcessor()

    def forward(self, items):
        return Features(self.linear(items["values"]).unsqueeze(1))


class ToyProjection(Projection):
    def __init__(self, options, *, input_width, output_width):
        super().__init__()
        self.linear = nn.Linear(input_width, output_width)

    def forward(self, features):
        return features.with_values(self.linear(features.values))


class ToyFusion(Fusion):
    def __init__(self, options, *, width, depth, modalities, reads):
        super().__init__()

    def join(self, inputs, queries):
        return (join(inputs),)


class ToyBackbone(Backbone):
    depth = 1

    def __init__(self, options, *, causal):
        super().__init__()
        self.width = options.width
        self.delay = options.delay
        self.layers = nn.Sequential(
            nn.Linear(self.width, self.width), nn.GELU(), nn.BatchNorm1d(self.width), nn.Dropout(options.dropout)
        )

    def forward(self, sequence, between=None, state=None):
        time.sleep(self.delay)
        return self.layers(sequence.values.flatten(0, 1)).view_as(sequence.values)

    def start(self, rows, capacity, device, dtype):
        raise NotImplementedError


class LabelTargets(TargetProcessor):
    def __init__(self, labels):
        self.labels = labels

    def process(self, example, inputs):
        return {} if example.target is None else {"label": torch.tensor(self.labels.index(example.target))}

    def collate(self, targets, inputs, generator):
        return {"label": torch.stack([target["label"] for target in targets])} if targets[0] else {}


class Labels(Head):
    monitor = ("accuracy", "max")
    metric_ranges = MappingProxyType({"accuracy": (0.0, 1.0), "error": (0.0, math.inf)})

    def __init__(self, options, *, width, modalities, facts):
        super().__init__()
        self.reads = modalities
        self.labels = facts["labels"]
        self.output = nn.Linear(width, len(self.labels))

    @classmethod
    def facts(cls, options, targets):
        labels = sorted(Counter(targets))
        if not labels:
            raise DataError("There are no labels.")
        return {"labels": labels}

    def target_processor(self):
        return LabelTargets(self.labels)

    def queries(self, batch):
        return None

    def logits(self, outputs):
        return self.output(outputs["point"].values.mean(1))

    def loss(self, outputs, batch):
        total = nn.functional.cross_entropy(self.logits(outputs), batch.targets["label"], reduction="sum")
        correct = (self.logits(outputs).argmax(-1) == batch.targets["label"]).sum()
        return Loss(total, torch.tensor(batch.size), {"correct": correct})

    def predict(self, outputs, batch):
        return [{"prediction": self.labels[i]} for i in self.logits(outputs).argmax(-1).tolist()]

    def metrics(self, predictions, references):
        right = sum(p["prediction"] == r for p, r in zip(predictions, references, strict=True))
        return {"accuracy": right / len(references)}


class Adam(Optimizer):
    def __init__(self, options):
        self.options = options

    def build(self, model):
        return torch.optim.AdamW(model.parameters(), lr=self.options.lr)


class Falling(Schedule):
    def __init__(self, options):
        del options

    def factor(self, step, progress):
        return 1 - progress

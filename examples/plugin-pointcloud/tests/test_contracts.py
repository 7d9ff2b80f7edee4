"""The contracts of mmlm; `items` says what a point cloud may be, since the core knows no such modality."""

import numpy as np

from mmlm_core.testing import contracts

RANDOM = np.random.default_rng(0)
CLOUDS = [RANDOM.normal(size=(40, 3)), RANDOM.normal(size=(16, 3)).tolist(), RANDOM.normal(size=(5, 3))]

globals().update(contracts("mmlm_pointcloud.plugin", items={"pointcloud": CLOUDS}))

"""What every component of its kind keeps."""

from mmlm_core.testing import contracts

ITEMS = [
    [[0.0, 0.5, 1.0], [0.25, -1.0, 2.0]],
    [[1.0, 1.0, 1.0]],
    [[0.1 * place, -0.2 * place, 0.3] for place in range(9)],
]

globals().update(contracts("NEWPACKAGE.plugin", items={"NEWMODALITY": ITEMS}))

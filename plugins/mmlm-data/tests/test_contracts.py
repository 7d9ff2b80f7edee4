from pathlib import Path

from mmlm_core.testing import contracts

ROWS = Path(__file__).parent / "rows.csv"
OPTIONS = {"path": str(ROWS), "inputs": {"text": "text"}, "target": "label"}

globals().update(contracts("mmlm_data.plugin", options={"data=table": OPTIONS}))

import atexit
import shutil
import tempfile
from pathlib import Path

from mmlm_core.testing import contracts
from mmlm_data.specimens import SPECIMENS

FOLDER = Path(tempfile.mkdtemp(prefix="mmlm-data-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

OPTIONS = {f"data={name}": write(FOLDER / name) for name, write in SPECIMENS.items() if not (FOLDER / name).mkdir()}

OPTIONS["data=mix"] = {"sources": {name: {"name": name, **OPTIONS[f"data={name}"]} for name in ("table", "folder")}}

globals().update(contracts("mmlm_data.plugin", options=OPTIONS))

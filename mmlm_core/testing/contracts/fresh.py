"""What a plugin's components make in another process, under the same seed."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from mmlm_core.testing.contracts.checks import first_line, telling

__all__ = ["FreshProcess", "answer"]


class FreshProcess:
    """Asks another process what each component of a plugin makes, once for all of them.

    There the strings of a set stand in another order, and nothing is left over from earlier tests.

    Args:
        given: What `contracts` was given: the plugin's module, options, items, targets.
    """

    def __init__(self, *given: Any) -> None:
        self._given = given

    @cached_property
    def made(self) -> dict[str, tuple[bool, Any]]:
        """For each component, as `kind=name`: whether it made something, and what it made or what went wrong."""
        order = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": order}
        environment |= {"OMP_NUM_THREADS": "1"}
        with tempfile.TemporaryDirectory() as folder:
            question, reply = Path(folder, "question"), Path(folder, "reply")
            with telling("What `contracts` is given (options, items, targets) must pickle, for a fresh process"):
                question.write_bytes(pickle.dumps(self._given))
            # It ends at once: a library's threads (pyarrow's) may abort a process that takes its leave of all modules.
            code = f"import os; from {__name__} import answer; answer({str(question)!r}, {str(reply)!r}); os._exit(0)"
            done = subprocess.run(
                [sys.executable, "-P", "-c", code], check=False, capture_output=True, text=True, env=environment
            )
            last = done.stderr.strip().splitlines()[-1:] or ["no message"]
            assert done.returncode == 0, f"`{self._given[0]}` cannot be used in a fresh process: {last[0]}"
            made: dict[str, tuple[bool, Any]] = pickle.loads(reply.read_bytes())
            return {key: (able, pickle.loads(what) if able else what) for key, (able, what) in made.items()}


def answer(question: str, reply: str) -> None:
    """Write what each component makes into the file `reply`."""
    from mmlm_core.testing.contracts import contracts

    made: dict[str, tuple[bool, Any]] = {}
    for contract in contracts(*pickle.loads(Path(question).read_bytes())).values():
        try:
            made[contract.key()] = True, pickle.dumps(contract().made())
        except Exception as error:
            made[contract.key()] = False, f"{type(error).__name__}: {first_line(error)}"
    Path(reply).write_bytes(pickle.dumps(made))

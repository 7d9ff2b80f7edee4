"""Files that options name, as `data.path`: checked before anything heavy is imported; found where a run was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from mmlm_core.composition import Composition
from mmlm_core.errors import run_all

__all__ = ["NamesFiles", "check_files", "place_files"]


@runtime_checkable
class NamesFiles(Protocol):
    """Options of a component that name files of the user."""

    def check_files(self) -> None:
        """Raise where a file is missing, or plainly not as the options say; what only all rows tell is not asked.

        Raises:
            MmlmError: With everything that is wrong.
        """

    def place_files(self, folder: Path) -> list[str]:
        """Let each relative path that leads nowhere from here, and somewhere from a folder, lead there.

        Args:
            folder: Where the paths were given.

        Returns:
            These paths as they were.
        """


def check_files(composition: Composition) -> None:
    """Raise where files that options name are missing, or plainly not as the options say.

    A run that is loaded is not asked: it needs no data.

    Raises:
        MmlmError: With everything that is wrong.
    """
    run_all(options.check_files for options in _naming(composition))


def place_files(composition: Composition, folder: Path) -> list[str]:
    """Let the files that options name be those of a folder where they are not here, and return their paths."""
    return [path for options in _naming(composition) for path in options.place_files(folder)]


def _naming(composition: Composition) -> list[NamesFiles]:
    return [choice.options for choice in composition.choices.values() if isinstance(choice.options, NamesFiles)]

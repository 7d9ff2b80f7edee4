"""Many plugins of declarations only, each as an installed distribution, for a test and a benchmark."""

from pathlib import Path

KINDS = ("tokenizer", "encoder/image", "fusion", "backbone", "head")

MODULE = '''"""Declares {count} components."""

from dataclasses import dataclass

import mmlm_core
from mmlm_core.ranges import check_range

MMLM_API = 1


@dataclass
class Options:
    """One of many."""

    width: int = 16
    """Width of it."""
    depth: int = 2
    """Depth of it."""
    dropout: float = 0.1
    """Dropout of it."""

    def __post_init__(self) -> None:
        check_range(self, "width", 1)


@mmlm_core.hookimpl
def mmlm_components():
    return [mmlm_core.Component(kind, "{name}", Options, "{module}_classes:Nothing") for kind in {kinds!r}]
'''


def write_plugins(folder: Path, count: int = 40) -> list[str]:
    """Write that many plugins of five components each, and return their components as `kind=name`."""
    components = []
    for number in range(count):
        name, module = f"many{number:03}", f"mmlm_many{number:03}"
        text = MODULE.format(count=len(KINDS), name=name, module=module, kinds=KINDS)
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
        info = folder / f"{module}-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: mmlm-{name}\nVersion: 0.1\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[mmlm.plugins]\n{name} = {module}\n", encoding="utf-8")
        components += [f"{kind}={name}" for kind in KINDS]
    return components

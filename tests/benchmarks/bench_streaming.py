"""A million rows of Parquet, and tar shards of several gigabytes: memory stays flat, and the first batch does not wait.

The files are made by code. `MMLM_BENCH_GIB` says how large the shards are together (20 for the whole claim; 1 otherwise).
"""

import json
import multiprocessing
import os
import resource
import tarfile
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from itertools import islice
from pathlib import Path

ROWS = 1_000_000
MIB = 2**20


def resident() -> float:
    """Return this process's resident memory that is its own, without mapped files, in MiB."""
    for row in Path("/proc/self/status").read_text().splitlines():
        if row.startswith("RssAnon"):
            return int(row.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def parquet(folder: Path, rows: int) -> list[str]:
    """Write rows of text with a label, and return the overrides that read them."""
    import pyarrow as pa
    from pyarrow import parquet as writer

    path = folder / f"rows-{rows}.parquet"
    with writer.ParquetWriter(path, pa.schema({"text": pa.string(), "label": pa.string()})) as file:
        for start in range(0, rows, 50_000):
            numbers = range(start, min(start + 50_000, rows))
            texts = [f"row {number} " + "lorem ipsum dolor " * (number % 7) for number in numbers]
            file.write_table(pa.table({"text": texts, "label": ["ab"[number % 2] for number in numbers]}))
    return ["data=table", f"data.path={path}", "data.inputs.text=text", "data.target=label", "tokenizer=byte",
            "encoder/text=embedding", "backbone=gru", "head=classification"]  # fmt: skip


def shards(folder: Path, size: int) -> list[str]:
    """Write tar shards of pictures with captions, and return the overrides that read them."""
    from PIL import Image

    stream = BytesIO()
    Image.effect_noise((512, 512), 60).convert("RGB").save(stream, "JPEG", quality=95)
    picture, written, number = stream.getvalue(), 0, 0
    place = folder / f"shards-{size}"
    place.mkdir()
    while written < size:
        with tarfile.open(place / f"{number // 1000:05}.tar", "w") as file:
            for number in range(number, number + 1000):  # noqa: B020 (it goes on)
                for ending, content in (("jpg", picture), ("txt", f"caption {number}".encode())):
                    member = tarfile.TarInfo(f"{number:08}.{ending}")
                    member.size = len(content)
                    file.addfile(member, BytesIO(content))
                    written += len(content)
            number += 1
    return ["data=webdataset", f"data.path={place}", "data.inputs.image=jpg", "data.target=txt",
            "data.validation_fraction=0", "data.test_fraction=0", "tokenizer=byte", "encoder/image=cnn",
            "head=captioning", "trainer.max_steps=1"]  # fmt: skip


def measure(overrides: list[str], batches: int, sink: object) -> None:
    """Send how long the first batch takes, and the memory after a tenth of the batches and after all."""
    from mmlm_core.data import make_loaders
    from tests.benchmarks.trainings import prepared

    began = time.perf_counter()
    made = prepared([*overrides, "loader.batch_size=64", "loader.cache_mib=0"])
    loader = make_loaders({"train": made.source.read("train")}, made.model.processors(),
                          made.model.head.target_processor(), made.composition.settings.loader, 1)["train"]  # fmt: skip
    first, seen, memory = 0.0, 0, []
    for number, _ in enumerate(islice(loader, batches)):
        first = first or time.perf_counter() - began
        seen = number + 1
        if seen in (max(2, batches // 10), batches):
            memory.append(resident())
    sink.send(json.dumps({"first": first, "batches": seen, "memory": [*memory, resident()]}))  # type: ignore[attr-defined]


def told(overrides: list[str], batches: int) -> dict[str, object]:
    """Return what `measure` sends from a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=measure, args=(overrides, batches, theirs))
    process.start()
    found: dict[str, object] = json.loads(ours.recv())
    process.join()
    return found


def show(what: str, make: Callable[[Path, int], list[str]], small: int, large: int, batches: int) -> None:
    """Print the figures of a small data set beside those of a large one."""
    for size in (small, large):
        with tempfile.TemporaryDirectory() as folder:
            found = told(make(Path(folder), size), batches)
        memory = found["memory"]
        print(
            f"{what}, {size:>14,}: first batch after {found['first']:5.1f} s; {found['batches']} batches; memory of its "
            f"own {memory[0]:6.0f} MiB after a tenth, {memory[-1]:6.0f} at the end",
            flush=True,
        )  # type: ignore[index]


def main() -> None:
    """Print both."""
    gib = float(os.environ.get("MMLM_BENCH_GIB", "1"))
    show("rows of Parquet", parquet, ROWS // 50, ROWS, 1000)
    show("bytes of tar shards", shards, 64 * MIB, int(gib * 1024) * MIB, 200)


if __name__ == "__main__":
    main()

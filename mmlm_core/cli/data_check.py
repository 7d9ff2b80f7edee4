"""Prints what `mmlm data check` found."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mmlm_core.examination import Examination, Measure, Split

__all__ = ["print_examination"]

TOLD = 10
"""Rows of one kind that are listed."""

LABELS = 12
"""Labels of which each has a line."""

BAR = 24
"""Columns of the bar of the most frequent label."""

UNKNOWN = " unknown tokens"


def print_examination(found: Examination, console: Console | None = None) -> None:
    """Print what was found, for a person: what there is, and below it what is wrong.

    Args:
        found: What was found.
        console: Where; None: the standard output.
    """
    console = console or _console()
    console.print(_table(found))
    for name, split in found.splits.items():
        if len(split.labels) > 1 and name == next(iter(found.splits)):
            console.print(_labels(name, split))
            _alike(console, split)
    for name, split in found.splits.items():
        _faults(console, name, split)
    _twins(console, found)
    console.print()
    if found.wrong:
        console.print(Text("✗ ", style="bold red") + Text("; ".join(found.wrong) + "."))
    else:
        rows = sum(split.rows for split in found.splits.values())
        console.print(Text("✓ ", style="bold green") + Text(f"nothing is wrong with these {rows:,} rows."))


def _console() -> Console:
    console = Console(highlight=False)
    console.width = min(console.width, 100) if console.is_terminal else 100
    return console


def _table(found: Examination) -> Table:
    """Return a column for each split, and a line for all that was measured."""
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("")
    for name in found.splits:
        table.add_column(name, justify="right")
    splits = list(found.splits.values())
    table.add_row("rows", *(f"{split.rows:,}" for split in splits))
    if any(split.faults for split in splits):
        table.add_row(Text("cannot be used", style="red"), *(_count(len(split.faults)) for split in splits))
    if any(split.repeated for split in splits):
        table.add_row("repeat an earlier row", *(_count(split.repeated) for split in splits))
    names = dict.fromkeys(name for split in splits for name in split.measures)
    if names:
        table.add_row("")
        table.add_row(Text("least · median · most", style="dim"))
    for name in names:
        if name.endswith(UNKNOWN):
            of = name.removesuffix(UNKNOWN)
            table.add_row(f"{of} tokens unknown", *(_share(split, name, f"{of} tokens") for split in splits))
        else:
            table.add_row(name, *(_spread(split.measures.get(name)) for split in splits))
    return table


def _labels(name: str, split: Split) -> Padding:
    """Return the labels of the training, each with a bar."""
    total, most = sum(split.labels.values()), max(split.labels.values())
    table = Table(box=None, padding=(0, 3, 0, 0), show_header=False, title=f"labels of {name}", title_justify="left",
                  title_style="bold")  # fmt: skip
    for justify in ("left", "right", "right", "left"):
        table.add_column(justify=justify)
    for label, count in list(split.labels.items())[:LABELS]:
        bar = "█" * max(1, round(BAR * count / most))
        table.add_row(Text(label), f"{count:,}", f"{count / total:.1%}", Text(bar, style="blue"))
    more = len(split.labels) - LABELS
    if more > 0:
        least = min(split.labels.values())
        table.add_row(Text(f"{more} more", style="dim"), Text(f"at least {least:,}", style="dim"))
    return Padding(table, (1, 0, 0, 0))


def _alike(console: Console, split: Split) -> None:
    """Tell which labels are most likely one label that was written in several ways."""
    groups: dict[str, list[str]] = {}
    for label in split.labels:
        groups.setdefault(" ".join(label.split()).casefold(), []).append(label)
    several = [group for group in groups.values() if len(group) > 1]
    for group in several[:TOLD]:
        names = " and ".join(f"`{label}`" for label in sorted(group))
        console.print(Text(f"{names} differ in case or white space alone, and are different labels.", style="yellow"))


def _faults(console: Console, name: str, split: Split) -> None:
    if not split.faults:
        return
    console.print()
    console.print(Text(f"rows of {name} that cannot be used", style="bold"))
    for key, reason in list(split.faults.items())[:TOLD]:
        console.print(Padding(Text(key, style="red") + Text(f"  {' '.join(reason.split())}"), (0, 0, 0, 2)))
    if len(split.faults) > TOLD:
        console.print(Padding(Text(f"and {len(split.faults) - TOLD:,} more", style="dim"), (0, 0, 0, 2)))


def _twins(console: Console, found: Examination) -> None:
    for (one, two), count in found.leaks.items():
        console.print()
        console.print(Text(f"rows of {two} that stand in {one} too", style="bold"))
        pairs = [twins for twins in found.twins if twins.splits == (one, two)]
        for twins in pairs[:TOLD]:
            how = "the same" if twins.exact else "the same but for case, spaces and signs"
            other = "" if twins.target else ", with another target"
            console.print(Padding(Text(f"{twins.second} = {twins.first}", style="red") + Text(f"  {how}{other}"),
                                  (0, 0, 0, 2)))  # fmt: skip
        if count > TOLD:
            console.print(Padding(Text(f"and {count - TOLD:,} more", style="dim"), (0, 0, 0, 2)))


def _count(count: int) -> str:
    return f"{count:,}" if count else "-"


def _spread(measure: Measure | None) -> str:
    if measure is None:
        return "-"
    return " · ".join(_figure(figure) for figure in (measure.least, measure.median, measure.most))


def _share(split: Split, part: str, whole: str) -> str:
    if part not in split.measures:
        return "-"
    return f"{split.measures[part].total / max(1.0, split.measures[whole].total):.2%}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.2f}"

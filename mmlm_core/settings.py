"""The core's own options: what belongs to a run and not to a component. Imports no torch.

Each of these dataclasses is one group of the configuration; every field has its doc right below it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import PurePath
from typing import Literal

from mmlm_core.errors import OptionError
from mmlm_core.options import check_choices
from mmlm_core.ranges import check_range

__all__ = ["DecodingOptions", "LoaderOptions", "OnError", "Precision", "RunOptions", "Settings", "TrackerOptions",
           "TrainerOptions"]  # fmt: skip


class OnError(Enum):
    """What happens with a row that cannot be used."""

    RAISE = "raise"
    SKIP = "skip"


class Precision(Enum):
    """The arithmetic of a training step."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


@dataclass
class LoaderOptions:
    """How rows become batches."""

    batch_size: int = 64
    """Rows in a batch."""
    workers: int | Literal["auto"] = "auto"
    """Processes that prepare rows beside the training; `auto`: none where rows are cheap, few, or all kept in memory,
    else half of the cores of a process of the training, and 8 at most."""
    cache_mib: int = 1024
    """Prepared rows are kept in memory up to this size, in MiB; 0: every row is prepared anew in every epoch."""
    features: str = "auto"
    """Where the features of wholly frozen encoders are kept (`trainer.freeze=[encoder/image]`), so that an item that is
    not augmented is encoded once: a folder; `auto`: the user's folder for caches; `off`: nowhere."""
    features_gib: float = 20.0
    """What such a folder may hold, in GiB; features that were not used for longest are removed first."""
    shuffle_rows: int = 4096
    """Rows of a stream that are held to be shuffled among each other; other data is shuffled whole."""
    bucket: bool = False
    """Training batches of rows of like length: less padding, and each batch a little less random."""
    balance: float = 0.0
    """How far the labels of a training are drawn alike in number, rare ones several times in an epoch: 0: each row
    once; 1: every label as often as any other."""
    on_error: OnError = OnError.RAISE
    """A row that cannot be used stops the command (`raise`) or is left out, counted and listed (`skip`)."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_choices(self)
        check_range(self, "batch_size", 1)
        check_range(self, "workers", 0, 256)
        check_range(self, "cache_mib", 0)
        check_range(self, "features_gib", 0)
        if not self.features.strip():
            raise OptionError("`features` must be `auto`, `off` or a folder, not nothing.")
        check_range(self, "shuffle_rows", 1)
        check_range(self, "balance", 0, 1)


@dataclass
class TrainerOptions:
    """How long and how a model is trained, through Lightning."""

    max_epochs: int | None = None
    """Passes over the training rows; where none of the three limits is given: 10."""
    max_steps: int | None = None
    """Updates of the parameters."""
    max_minutes: float | None = None
    """Minutes of training, validation included; the schedule follows the clock then."""
    precision: Precision = Precision.AUTO
    """`auto` takes bf16 where the machine computes it natively (asked once), else fp32."""
    clip_norm: float = 1.0
    """The gradient's greatest norm; 0: no clipping."""
    accumulate: int = 1
    """Batches whose gradients make one update."""
    validate_every_epochs: int = 1
    """Epochs between two validations."""
    validate_rows: int = 256
    """Rows whose predictions are made and measured in a validation; the loss is taken over all rows."""
    patience: int | None = None
    """Validations without a better one after which the training ends; None: it goes on to its limit."""
    freeze: list[str] = field(default_factory=list)
    """Parts that stay as they are: `encoder/image`, a module in it (`encoder/text.table`), its first stages
    (`encoder/image:2`)."""
    average_decay: float = 0.0
    """Decay of the moving average of the weights, which is what is validated and saved; 0: no average."""
    accelerator: str = "auto"
    """Lightning's accelerator: `auto`, `cpu`, `gpu`, ..."""
    devices: int = 1
    """Devices on each node."""
    nodes: int = 1
    """Nodes of a cluster."""
    strategy: str = "auto"
    """Lightning's strategy: `auto`, `ddp`, ...; none that cuts the model into pieces, as `fsdp`."""
    compile: bool = False
    """Compile the model with `torch.compile`."""
    threads: int = 0
    """Threads of one process; 0: the cores that this process may use."""
    log_every_steps: int = 10
    """Steps between two lines of the training's metrics."""
    checkpoint_every_steps: int = 0
    """Steps between two checkpoints for resuming, beside one at the end of each epoch; 0: only those."""
    progress: bool = True
    """Show a progress bar."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_choices(self)
        for name in ("max_epochs", "max_steps", "accumulate", "validate_every_epochs", "patience", "devices", "nodes",
                     "log_every_steps"):  # fmt: skip
            check_range(self, name, 1)
        for name in ("clip_norm", "validate_rows", "threads", "checkpoint_every_steps"):
            check_range(self, name, 0)
        check_range(self, "max_minutes", 0.01)
        check_range(self, "average_decay", 0, 0.99999)


@dataclass
class DecodingOptions:
    """How tokens are chosen in generation."""

    max_tokens: int = 64
    """Tokens that are generated at most, the end token not counted."""
    stop: list[str] = field(default_factory=list)
    """Texts at which a generated text is over, itself not among it; they may begin and end within tokens."""
    beams: int = 1
    """Beams; 1: greedy, or sampling where `temperature` is above 0."""
    length_penalty: float = 1.0
    """Beams are compared by log-probability / length ** this (Wu et al. 2016, simplified as in transformers)."""
    beam_groups: int = 1
    """Groups of beams that keep apart by `diversity`; they divide `beams` (Vijayakumar et al. 2016)."""
    diversity: float = 0.5
    """What a token's log-probability loses for each beam of an earlier group that has just taken the same token."""
    temperature: float = 0.0
    """0: the likeliest token; above: sampling, and the higher the more varied."""
    top_k: int = 0
    """Sample among this many likeliest tokens; 0: all."""
    top_p: float = 1.0
    """Sample among the likeliest tokens that together have this probability (Holtzman et al. 2020)."""
    min_p: float = 0.0
    """Sample among the tokens that are at least this times as likely as the likeliest (Nguyen et al. 2024)."""
    repetition_penalty: float = 1.0
    """Above 1: tokens that stand in the text already are made less likely (Keskar et al. 2019)."""
    no_repeat_ngram: int = 0
    """No sequence of this many tokens stands twice in a text and its prompt; 0: any may (Paulus et al. 2018)."""
    n_best: int = 1
    """Texts of each row in a prediction, best first: of the beams, or drawn independently where sampled."""
    seed: int = 0
    """Seed of the sampling; with a row's key it decides what is drawn, whatever rows are beside it."""
    int8: bool = False
    """Compute linear maps in int8 (weights fixed, inputs as they come), for prediction on a CPU."""

    def __post_init__(self) -> None:
        """Check the ranges, and what does not go together."""
        for name, most in (("max_tokens", 2**20), ("beams", 512), ("beam_groups", 512), ("n_best", 1024)):
            check_range(self, name, 1, most)  # each text and each beam costs the memory of a row
        for name in ("diversity", "temperature", "top_k", "no_repeat_ngram"):
            check_range(self, name, 0)
        check_range(self, "top_p", 0, 1)
        check_range(self, "min_p", 0, 1)
        check_range(self, "repetition_penalty", 0.01)
        if "" in self.stop:
            raise OptionError("`stop` must hold no empty text: every text would stop at once.")
        if self.beams > 1 and self.temperature > 0:
            raise OptionError(
                f"`beams` must be 1 where `temperature` is above 0, not {self.beams}: beams do not sample."
            )
        if self.beams % self.beam_groups:
            raise OptionError(f"`beam_groups` must divide `beams`, {self.beams}; {self.beam_groups} does not.")
        if self.temperature == 0 and self.n_best > self.beams:
            raise OptionError(
                f"`n_best` must be at most `beams`, {self.beams}, where `temperature` is 0, not {self.n_best}: "
                "each beam gives one text."
            )


@dataclass
class TrackerOptions:
    """Where the run is tracked, beside the run folder's own `metrics.jsonl`."""

    wandb: str = "auto"
    """`auto`: online where there is an account, else offline; `online`, `offline`; `off`."""
    project: str = "mmlm"
    """The wandb project."""
    tensorboard: bool = False
    """Write TensorBoard's files too."""
    samples: int = 16
    """Held-out rows whose predictions are logged with their inputs."""

    def __post_init__(self) -> None:
        """Check the choice."""
        choices = ("auto", "online", "offline", "off")
        if self.wandb not in choices:
            raise OptionError(f"`wandb` must be one of {', '.join(choices)}, not `{self.wandb}`.")
        check_range(self, "samples", 0)


@dataclass
class RunOptions:
    """The run's own folder, and what makes it repeatable."""

    name: str | None = None
    """The folder's name under `folder`; None: made of the date and the time."""
    folder: str = "runs"
    """The folder that holds the runs."""
    init: str | None = None
    """A run whose weights this one starts from: its tokenizer, and every part that both have by the same name."""
    seed: int = 1
    """Seed of everything that is random: weights, order of rows, augmentation, dropout."""
    deterministic: bool = False
    """Refuse operations that are not deterministic on the device (slower on a GPU; a CPU is deterministic anyway)."""

    def __post_init__(self) -> None:
        """Check the seed's range, and that the name stays under the folder."""
        check_range(self, "seed", -(2**63), 2**63 - 1)  # what torch takes
        if not self.folder.strip():
            raise OptionError("`folder` must name the folder that holds the runs, not nothing: `.` is the present one.")
        if self.name and (".." in PurePath(self.name).parts or PurePath(self.name).is_absolute()):
            raise OptionError(f"`name` must name a folder under `folder`, not `{self.name}`: set `run.folder` instead.")


@dataclass
class Settings:
    """All of the core's own options, by group."""

    loader: LoaderOptions = field(default_factory=LoaderOptions)
    trainer: TrainerOptions = field(default_factory=TrainerOptions)
    decoding: DecodingOptions = field(default_factory=DecodingOptions)
    tracker: TrackerOptions = field(default_factory=TrackerOptions)
    run: RunOptions = field(default_factory=RunOptions)

    @staticmethod
    def groups() -> dict[str, type]:
        """Return each group's dataclass by its name."""
        return {f.name: f.default_factory for f in fields(Settings)}  # type: ignore[misc]

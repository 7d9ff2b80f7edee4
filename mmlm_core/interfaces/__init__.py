"""The contracts: one abstract class a file. A component is its final class, and takes its options dataclass first."""

from mmlm_core.interfaces.backbone import Backbone, Between, State
from mmlm_core.interfaces.constraint import Constraint
from mmlm_core.interfaces.data_source import DataSource
from mmlm_core.interfaces.encoder import Encoder, Processor
from mmlm_core.interfaces.fusion import Fusion
from mmlm_core.interfaces.generative_head import GenerativeHead
from mmlm_core.interfaces.head import Head, TargetProcessor
from mmlm_core.interfaces.optimizer import Optimizer
from mmlm_core.interfaces.projection import Projection
from mmlm_core.interfaces.schedule import Schedule
from mmlm_core.interfaces.stream import Stream
from mmlm_core.interfaces.tokenizer import Tokenizer

__all__ = ["Backbone", "Between", "Constraint", "DataSource", "Encoder", "Fusion", "GenerativeHead", "Head",
           "Optimizer", "Processor", "Projection", "Schedule", "State", "Stream", "TargetProcessor",
           "Tokenizer"]  # fmt: skip

"""From rows to batches: preparing, planning, collating, loading. Needs torch, no Lightning."""

from mmlm_core.data.collate import Collator, collate_examples
from mmlm_core.data.dataset import Fault, Prepared, Row, Rows
from mmlm_core.data.loaders import BatchLoader, has_length, make_loaders
from mmlm_core.data.mixture import Mixture
from mmlm_core.data.sampler import Batches, Draw, OrderedBatches, Plan, ShuffledBatches, mixed_seed
from mmlm_core.data.streaming import StreamedBatches, stream_size
from mmlm_core.data.texts import corpus
from mmlm_core.data.working import Workers, choose_workers

__all__ = ["BatchLoader", "Batches", "Collator", "Draw", "Fault", "Mixture", "OrderedBatches", "Plan", "Prepared",
           "Row", "Rows", "ShuffledBatches", "StreamedBatches", "Workers", "choose_workers", "collate_examples",
           "corpus", "has_length", "make_loaders", "mixed_seed", "stream_size"]  # fmt: skip

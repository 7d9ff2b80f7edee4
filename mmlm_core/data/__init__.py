"""From rows to batches: preparing, planning, collating, loading. Needs torch, no Lightning."""

from mmlm_core.data.collate import Collator, collate_examples
from mmlm_core.data.dataset import Fault, Prepared, Row
from mmlm_core.data.loaders import BatchLoader, make_loaders
from mmlm_core.data.sampler import Batches, Draw, OrderedBatches, ShuffledBatches, mixed_seed
from mmlm_core.data.texts import corpus

__all__ = ["BatchLoader", "Batches", "Collator", "Draw", "Fault", "OrderedBatches", "Prepared", "Row",
           "ShuffledBatches", "collate_examples", "corpus", "make_loaders", "mixed_seed"]  # fmt: skip

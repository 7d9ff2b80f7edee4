"""What the toys' processors share: the faults in `process` and `collate`."""

import random
import threading

import torch


class Faults:
    """A processor's faults, by name; each does nothing where the fault is another one."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.chance = random.Random(0)
        if fault == "does_not_pickle":
            self.lower = lambda text: text.lower()
        if fault == "holds_a_lock":
            self.lock = threading.Lock()

    def __getstate__(self) -> dict:
        return {**self.__dict__, "fault": "" if self.fault == "forgets_when_pickled" else self.fault}

    def process(self, ids: list[int]) -> list[int]:
        if self.fault == "forgets_when_pickled":
            return ids[::-1]
        if self.fault == "random_process":
            return [*ids, int(torch.randint(50, ()))]
        if self.fault == "random_process_of_its_own":
            return [*ids, self.chance.randrange(50)]
        return ids

    def collate(self, ids: list[torch.Tensor], generator: torch.Generator | None) -> list[torch.Tensor]:
        if self.fault == "changes_items":
            for each in ids:
                each[0] = 7
        if self.fault == "augments_in_evaluation":
            return [torch.where(torch.rand(each.shape) < 0.3, 7, each) for each in ids]
        if self.fault == "ignores_the_generator" and generator is not None:
            return [torch.where(torch.rand(each.shape) < 0.3, 7, each) for each in ids]
        if generator is not None:
            return [torch.where(torch.rand(each.shape, generator=generator) < 0.1, 7, each) for each in ids]
        return ids

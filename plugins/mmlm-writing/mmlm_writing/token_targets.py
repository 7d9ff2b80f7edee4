"""The processor that makes token ids of the texts that a model learns to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmlm_core.errors import DataError, quoted
from mmlm_core.interfaces import TargetProcessor, Tokenizer
from mmlm_core.targets import IGNORED, has_targets
from mmlm_core.types import Example, Items
from mmlm_core.views import View, token_views
from mmlm_writing.packing import pack
from mmlm_writing.windows import all_windows, random_window

__all__ = ["TokenSequence", "TokenTargets"]


class TokenSequence(NamedTuple):
    """What is learnt of one text.

    Attributes:
        ids: The tokens that are read.
        labels: For each of them the one that follows, or `IGNORED`.
        characters: Of the text.
    """

    ids: list[int]
    labels: list[int]
    characters: int


class TokenTargets(TargetProcessor):
    """Makes token ids and labels of texts: at each position stands a token, and its label is the one that follows.

    The sequence is `begin`, the prompt, the text, `end`; the prompt is not scored. A target may be a list of texts, of
    which training draws one and evaluation takes the first.

    Args:
        tokenizer: Of the texts.
        max_tokens: Tokens of a text at most, the prompt not counted; None: any number.
        truncate: Cut a longer text, without a label for its end; else it is refused.
        token_dropout: Share of the tokens that training replaces by `unknown`; never the first.
        context: Positions that training reads: a window of a longer text; None: all.
        overlap: Positions that an evaluation's window reads again.
        windows: Evaluation reads a longer text by windows of `context`; else as a whole.
        several: A target may be a list of texts.
        pack: Training packs texts into rows of `context` positions, or as long as the longest text.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        max_tokens: int | None = None,
        truncate: bool = False,
        token_dropout: float = 0.0,
        context: int | None = None,
        overlap: int = 0,
        windows: bool = False,
        several: bool = True,
        pack: bool = False,
    ) -> None:
        self.tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._truncate = truncate
        self._token_dropout = token_dropout
        self._context = context
        self._overlap = overlap
        self._windows = windows
        self._several = several
        self._pack = pack

    def length(self, example: Example) -> int:
        """Return the tokens of the prompt and of the longest text, as far as training reads them."""
        texts = example.target if isinstance(example.target, list | tuple) else [example.target]
        longest = max((len(self.tokenizer.encode(text)) for text in texts if isinstance(text, str)), default=0)
        length = len(self.prompt(example)) + longest
        return length if self._context is None else min(length, self._context)

    def process(self, example: Example, inputs: dict[str, list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        """Return `prompt`, the ids that a generation begins with; and, where there is a target, `ids` and `labels` of
        each of its texts in a row, their `sizes`, and the `characters` of the first.

        Raises:
            DataError: The target is no text, blank, or longer than `max_tokens`.
        """
        del inputs
        prompt = self.prompt(example)
        made = {"prompt": torch.tensor(prompt)}
        if example.target is None:
            return made
        sequences = self.sequences(example, prompt)
        made["ids"] = torch.tensor([token for row in sequences for token in row.ids])
        made["labels"] = torch.tensor([label for row in sequences for label in row.labels])
        made["sizes"] = torch.tensor([len(row.ids) for row in sequences])
        made["characters"] = torch.tensor(sequences[0].characters)
        return made

    def prompt(self, example: Example) -> list[int]:
        """Return the ids that a generation begins with."""
        return [self.tokenizer.begin, *(self.tokenizer.encode(example.prompt) if example.prompt else ())]

    def sequences(self, example: Example, prompt: list[int]) -> list[TokenSequence]:
        """Return what is learnt of a row with a target: at least one sequence, of which training draws one."""
        hidden = [IGNORED] * (len(prompt) - 1)
        made = []
        for text in self.texts(example.target):
            tokens = self.tokens(text)
            made.append(TokenSequence([*prompt, *tokens[:-1]], [*hidden, *tokens], len(text)))
        return made

    def texts(self, target: Any) -> list[str]:
        """Return the texts of a target, at least one.

        Raises:
            DataError: It is an empty list.
        """
        texts = list(target) if self._several and isinstance(target, list | tuple) else [target]
        if not texts:
            raise DataError("The target is an empty list: it must be a text, or a list of at least one.")
        return texts

    def tokens(self, text: Any) -> list[int]:
        """Return the ids of one text, with `end` unless it was cut.

        Raises:
            DataError: It is no text, blank, or longer than `max_tokens`.
        """
        if not isinstance(text, str):
            raise DataError(f"The target must be a text, not {quoted(text)}.")
        ids = self.tokenizer.encode(text) if text.strip() else []
        if not ids:
            raise DataError(f"The target {quoted(text)} is blank: there is nothing to learn to write.")
        return self.fitting([*ids, self.tokenizer.end], "The target")

    def fitting(self, ids: list[int], named: str) -> list[int]:
        """Return ids that end with `end`, cut to `max_tokens` before it where that is allowed.

        Raises:
            DataError: There are more, and none may be cut.
        """
        most = self._max_tokens
        if most is None or len(ids) - 1 <= most:
            return ids
        if self._truncate:
            return ids[:most]
        raise DataError(f"{named} has {len(ids) - 1} tokens, more than `head.max_tokens`, which is {most}: "
                        "raise that, or cut with `head.truncate=true`.")  # fmt: skip

    def measures(self, tensors: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the `tokens` of a target, the prompt among them, and how many are unknown."""
        ids = tensors.get("ids", torch.empty(0))
        return {"tokens": len(ids), "unknown tokens": int((ids == self.tokenizer.unknown).sum())}

    def views(self, tensors: Mapping[str, Tensor]) -> list[View]:
        """Return what each row learns to write, or each row of packed texts; its end is scored but never read."""
        if "labels" not in tensors or tensors["ids"].dim() != 2:
            return []
        documents = tensors.get("documents", torch.zeros_like(tensors["ids"]))
        texts: list[list[int]] = []
        scored: list[list[bool]] = []
        owners: list[list[int]] = []
        for row, length in enumerate(tensors["lengths"].tolist()):
            texts, scored, owners = [*texts, []], [*scored, []], [*owners, []]
            for number in sorted(set(documents[row, :length].tolist())):
                place = documents[row, :length] == number
                ids, labels = tensors["ids"][row, :length][place], tensors["labels"][row, :length][place]
                counted = (labels != IGNORED).tolist()  # a position reads one token, and is scored on the next
                texts[-1] += [*ids.tolist(), *labels[-1:][labels[-1:] != IGNORED].tolist()]
                scored[-1] += [False, *counted[:-1], *[True] * counted[-1]]
                owners[-1] += [number] * (len(ids) + counted[-1])
        return [*token_views(self.tokenizer, texts, scored, owners)]

    def collate(
        self, targets: Sequence[Mapping[str, Tensor]], inputs: dict[str, Items], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """Pad and stack.

        Returns:
            `ids` [B, T], `labels` [B, T] (`IGNORED` where nothing is scored), `lengths` [B], and `mask` [B, T] where
            these differ. Outside training also `prompt` [B, P] and `prompt_lengths` [B]. In prediction without targets
            `ids` is the prompt and there are no labels. Where an evaluation reads by windows and a text needs more than
            one: `ids`, `labels`, `mask` [B, W, context]; windows that a row has not are masked wholly. Where training
            packs: as `packing.pack`, of N rows.

        Raises:
            DataError: Some rows have a target and some have none.
        """
        del inputs
        if not has_targets(targets, "ids"):
            prompts = self._prompts(targets)
            lengths = prompts["prompt_lengths"]
            return {**prompts, "ids": prompts["prompt"], "lengths": lengths, **_mask(lengths)}
        rows = [self._draw(target, generator) for target in targets]
        if generator is not None:
            return self._training(rows, generator)
        made = {**self._prompts(targets), "characters": torch.stack([target["characters"] for target in targets])}
        if self._windows and self._context is not None and any(len(ids) > self._context for ids, _ in rows):
            windows = [all_windows(*row, self._context, self._overlap, self.tokenizer.pad) for row in rows]
            ids, labels, masks = zip(*windows, strict=True)
            lengths = torch.tensor([len(row) for row, _ in rows])
            mask = pad_sequence(list(masks), batch_first=True)
            return {**made, **self._pad(ids, labels), "lengths": lengths, "mask": mask}
        ids, labels = zip(*rows, strict=True)
        made |= self._pad(ids, labels)
        return {**made, **_mask(made["lengths"])}

    def _draw(self, target: Mapping[str, Tensor], generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Return ids and labels of one of the row's texts."""
        ids, labels, sizes = target["ids"], target["labels"], target["sizes"].tolist()
        if len(sizes) == 1:
            return ids, labels
        drawn = 0 if generator is None else int(torch.randint(len(sizes), (), generator=generator))
        place = slice(sum(sizes[:drawn]), sum(sizes[: drawn + 1]))
        return ids[place], labels[place]

    def _training(self, rows: Sequence[tuple[Tensor, Tensor]], generator: torch.Generator) -> dict[str, Tensor]:
        if self._context is not None:
            places = [random_window(len(ids), self._context, generator) for ids, _ in rows]
            rows = [(ids[place], labels[place]) for (ids, labels), place in zip(rows, places, strict=True)]
        ids, labels = zip(*rows, strict=True)
        made = self._pad(ids, labels)
        if self._token_dropout:
            replaced = torch.rand(made["ids"].shape, generator=generator) < self._token_dropout
            replaced &= made["ids"] != self.tokenizer.pad
            replaced[:, 0] = False
            made["ids"] = made["ids"].masked_fill(replaced, self.tokenizer.unknown)
        if self._pack:
            sizes = made["lengths"].tolist()
            kept = [row[:size] for row, size in zip(made["ids"], sizes, strict=True)]
            return pack(kept, labels, self._context or max(sizes), self.tokenizer.pad)
        return {**made, **_mask(made["lengths"])}

    def _prompts(self, targets: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        prompts = [target["prompt"] for target in targets]
        padded = pad_sequence(prompts, batch_first=True, padding_value=self.tokenizer.pad)
        return {"prompt": padded, "prompt_lengths": torch.tensor([len(prompt) for prompt in prompts])}

    def _pad(self, ids: Sequence[Tensor], labels: Sequence[Tensor]) -> dict[str, Tensor]:
        return {
            "ids": pad_sequence(list(ids), batch_first=True, padding_value=self.tokenizer.pad),
            "labels": pad_sequence(list(labels), batch_first=True, padding_value=IGNORED),
            "lengths": torch.tensor([len(row) for row in ids]),
        }


def _mask(lengths: Tensor) -> dict[str, Tensor]:
    """Return the mask of rows of these lengths, or nothing where they are all the same."""
    longest = int(lengths.max())
    if bool((lengths == longest).all()):
        return {}
    return {"mask": torch.arange(longest) < lengths.unsqueeze(1)}

"""The head `parsing`: the structured form of a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from mmlm_core.errors import DataError
from mmlm_core.interfaces import Constraint, TargetProcessor, Tokenizer
from mmlm_core.targets import texts_in
from mmlm_core.tokens import TokenTable
from mmlm_core.types import Batch, Example
from mmlm_writing.forms import FormTargets, json_of, same_form, written
from mmlm_writing.grammars import Grammar, read_grammar, read_schema
from mmlm_writing.metrics.agreement import mean, token_f1
from mmlm_writing.options import ParsingOptions
from mmlm_writing.text_head import TextHead

__all__ = ["Parsing"]


class Parsing(TextHead[ParsingOptions]):
    """Learns to write the form of what it reads: JSON that fits a schema, or a form of a grammar.

    Whatever decoding chooses keeps to the schema or the grammar, which goes with the run.

    Args:
        options: See `ParsingOptions`.
        width: D.
        modalities: Names of the inputs.
        facts: What `facts` returned.
        tokenizer: Of the forms.
        table: Its token table.
    """

    monitor = ("exact_match", "max")

    def __init__(
        self,
        options: ParsingOptions,
        *,
        width: int,
        modalities: tuple[str, ...],
        facts: Mapping[str, Any],
        tokenizer: Tokenizer,
        table: TokenTable,
    ) -> None:
        super().__init__(
            options, width=width, modalities=modalities, facts=facts, tokenizer=tokenizer, table=table
        )  # fmt: skip
        self._as_json = _is_json(options)
        self._schema: str | None = facts["schema"]
        self._grammar = None
        if facts["schema"] is not None or facts["grammar"] is not None:
            self._grammar = Grammar(facts["schema"], facts["grammar"], tokenizer, table.vocabulary)

    @classmethod
    def facts(cls, options: ParsingOptions, targets: Iterable[Any]) -> dict[str, Any]:
        """Return the `schema` or the `grammar` itself, so that a run does not need its file.

        Raises:
            OptionError: The file is missing, or it does not parse.
        """
        del targets
        return {
            "schema": read_schema(options.schema) if _is_json(options) else None,
            "grammar": read_grammar(options.grammar) if options.grammar else None,
        }

    @classmethod
    def texts(cls, options: ParsingOptions, example: Example) -> Iterator[str]:
        """Yield the prompt, and the form as it is written; one that is none is refused when its row is read."""
        yield from texts_in(example.prompt)
        with suppress(DataError):
            yield written(example.target, _is_json(options))

    def target_processor(self) -> TargetProcessor:
        """Return the processor that makes token ids of the forms."""
        return FormTargets(
            self.tokenizer,
            as_json=self._as_json,
            schema=self._schema,
            max_tokens=self.options.max_tokens,
            truncate=self.options.truncate,
            token_dropout=self.options.token_dropout,
        )

    def constraints(self, batch: Batch) -> Sequence[Constraint] | None:
        """Return where each row's form begins in the schema or the grammar; None where there is none to keep to."""
        if self._grammar is None or not self.options.constrain:
            return None
        return [self._grammar.begin()] * batch.size

    def measure(self, texts: Sequence[str], references: Sequence[Any]) -> dict[str, float]:
        """Return `exact_match`, `well_formed` and `token_f1`.

        - `exact_match`: the share of forms that equal the reference, whatever the order of JSON's keys, and spaces;
        - `well_formed`: the share that is JSON at all, or is of the grammar;
        - `token_f1`: see `mmlm_writing.metrics.agreement`.
        """
        pairs = zip(texts, references, strict=True)
        return {
            "exact_match": mean([same_form(text, reference, self._as_json) for text, reference in pairs]),
            "well_formed": mean([self._is_well_formed(text) for text in texts]),
            "token_f1": token_f1(texts, [[written(reference, self._as_json)] for reference in references]),
        }

    def _is_well_formed(self, text: str) -> bool:
        if self._as_json:
            return bool(json_of(text))
        return self._grammar is None or self._grammar.accepts(text)


def _is_json(options: ParsingOptions) -> bool:
    return not options.grammar and bool(options.schema)

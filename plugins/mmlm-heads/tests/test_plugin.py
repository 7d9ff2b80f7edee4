import subprocess
import sys
from dataclasses import fields

import pytest

from mmlm_core import Component
from mmlm_core.errors import OptionError
from mmlm_core.interfaces import GenerativeHead, Head
from mmlm_core.options import option_docs, plain, typed
from mmlm_heads import options
from mmlm_heads.plugin import MMLM_API, mmlm_components

COMPONENTS = {component.name: component for component in mmlm_components()}


def needs(name, **values):
    component = COMPONENTS[name]
    return {need.of: need.has for need in component.traits_for(component.options(**values)).needs}


def test_the_plugin_gives_its_heads_for_this_api():
    assert MMLM_API == 1
    assert sorted(COMPONENTS) == ["classification", "ctc", "regression", "span", "tagging"]
    assert {component.kind for component in COMPONENTS.values()} == {"head"}


def test_declaring_imports_no_torch_and_no_metrics():
    code = (
        "import sys, mmlm_heads.plugin as p; p.mmlm_components(); "
        "print([m for m in ('torch', 'seqeval', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("component", COMPONENTS.values(), ids=list(COMPONENTS))
def test_each_class_loads_and_is_a_head_that_generates_where_it_says_so(component: Component):
    traits = component.traits_for(component.options())
    loaded = component.load()
    assert issubclass(loaded, Head)
    assert issubclass(loaded, GenerativeHead) == ("generates" in traits.provides) <= traits.uses_tokenizer


@pytest.mark.parametrize("component", COMPONENTS.values(), ids=list(COMPONENTS))
def test_every_option_has_a_doc_and_options_survive_as_plain_values(component: Component):
    made = component.options(**component.tiny)
    docs = option_docs(component.options)
    assert all(docs[field.name] for field in fields(made)) and component.doc
    assert typed(component.options, plain(made), "head", "a test") == made


def test_what_each_head_needs():
    assert needs("classification") == {"encoder": frozenset(), "data": {"target"}}


def test_only_a_classification_with_a_query_adds_positions():
    component = COMPONENTS["classification"]
    assert component.traits_for(component.options()).provides == {"queries"}
    assert component.traits_for(component.options(pooling=options.Pooling.mean)).provides == frozenset()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: options.ClassificationOptions(dropout=1.5), "`dropout` must be from 0 to 0.999, not 1.5."),
    ],
)
def test_values_out_of_range_are_refused(make, message):
    with pytest.raises(OptionError) as caught:
        make()
    assert str(caught.value) == message

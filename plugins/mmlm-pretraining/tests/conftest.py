import pytest

from mmlm_core.plugins import load_plugins

REGISTRY = load_plugins().registry


@pytest.fixture
def make_tokenizer():
    """Trains a tokenizer of a kind on some texts."""

    def make(kind, texts, **options):
        component = REGISTRY.get("tokenizer", kind)
        made = component.load()(component.options(**options))
        made.train(texts)
        return made

    return make

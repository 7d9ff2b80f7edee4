from __future__ import annotations

import subprocess
import sys

import pytest
from omegaconf import OmegaConf

from mmlm_core.errors import OptionError
from mmlm_transformer.options import TransformerOptions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 3}, "`heads` must divide `width`, 256; 3 does not."),
        ({"kv_heads": 3}, "`kv_heads` must divide `heads`, 4; 3 does not."),
        ({"depth": 0}, "`depth` must be at least 1, not 0."),
        (
            {"norm": "layer_norm"},
            "`norm` must be one of `rmsnorm`, `layernorm`, not `layer_norm`. Did you mean `layernorm`?",
        ),
        ({"dropout": 1.5}, "`dropout` must be from 0 to 0.99, not 1.5."),
        (
            {"width": 12, "heads": 4},
            "`positions=rotary` turns pairs of values, so `width / heads` must be even, not 12 / 4 = 3.",
        ),
    ],
)
def test_a_bad_option_is_named_with_what_must_hold(options, message):
    with pytest.raises(OptionError) as caught:
        TransformerOptions(**options)
    assert str(caught.value) == message


def test_words_of_a_configuration_become_choices():
    given = {"positions": "learned", "norm": "layernorm", "activation": "gelu", "kv_heads": 2}
    options = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(TransformerOptions), given))
    assert options == TransformerOptions(**given)


def test_declaring_imports_no_torch():
    code = "import sys, mmlm_transformer.plugin as p; p.mmlm_components(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""`mmlm_core.compose`: what the command line composes, in Python."""

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.version import VersionBase

from mmlm_core import compose
from mmlm_core.errors import CompositionError
from mmlm_core.plugins import Plugins


def test_overrides_compose(toys: Plugins) -> None:
    composition = compose(["backbone=gru", "backbone.width=64", "encoder/image=cnn"])
    assert (composition["backbone"].options.width, composition.modalities()) == (64, ["image"])


def test_parts_that_do_not_fit_are_refused(toys: Plugins) -> None:
    with pytest.raises(CompositionError, match="`head=captioning` writes one token after another"):
        compose(["backbone=bert"])


def test_hydras_state_is_as_it_was(toys: Plugins) -> None:
    before = VersionBase.instance().getbase()
    compose([])
    assert not GlobalHydra.instance().is_initialized()
    assert VersionBase.instance().getbase() is before


def test_an_application_of_hydra_can_compose_a_model(toys: Plugins) -> None:
    with initialize_config_module("hydra.conf", version_base="1.2"):
        own = GlobalHydra.instance().hydra
        compose(["backbone=gru"])
        assert GlobalHydra.instance().hydra is own
        assert str(VersionBase.instance().getbase()) == "1.2"
        assert "mmlm" not in str(own.config_loader.get_search_path())  # type: ignore[union-attr]
        assert hydra_compose(overrides=["+x=3"]).x == 3

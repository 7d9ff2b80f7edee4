"""Makes models of timm, and reads their weights: from a file, or from timm's hub."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import timm
from timm.models import get_pretrained_cfg, load_state_dict

from mmlm_core.errors import DataError, OptionError, UnknownChoiceError, did_you_mean, one_of
from mmlm_image.options import TimmOptions

__all__ = ["created", "fetched", "read_weights"]


def created(options: TimmOptions) -> Any:
    """Make the model, its weights drawn at random."""
    name = options.model
    config = _config(name)
    if options.pretrained and not (config.url or config.hf_hub_id or config.file):
        raise OptionError(f"`pretrained` must be false for `{name}`: timm has no weights of it. "
                          f"`weights` reads them from a file.")  # fmt: skip
    try:
        return timm.create_model(name, num_classes=0, **_sizes(options, config))
    except (RuntimeError, AssertionError, ValueError, TypeError) as error:
        raise OptionError(f"`{name}` of timm cannot be made with `size` {options.size}: {error}") from error


def _sizes(options: TimmOptions, config: Any) -> dict[str, Any]:
    """Return the size, for models that are made for one."""
    return {"img_size": options.size} if options.size is not None and config.fixed_input_size else {}


def fetched(options: TimmOptions) -> Any:
    """Return the model with timm's own weights, its positions interpolated where the size is another."""
    name, config = options.model, _config(options.model)
    try:
        return timm.create_model(name, pretrained=True, num_classes=0, **_sizes(options, config))
    except Exception as error:  # the hub's client and its HTTP library share no base class
        raise DataError(
            f"The pretrained weights of `{name}` cannot be fetched from {config.hf_hub_id or config.url}: {error}. "
            f"Without a network, give a file that was fetched before: `weights=model.safetensors`."
        ) from error


def _config(name: str) -> Any:
    """Return timm's own record of a model.

    Raises:
        UnknownChoiceError: timm has no such model, or no such weights of it.
    """
    if not timm.is_model(name):
        raise UnknownChoiceError(
            f"`{name}` is no choice of `model`: timm {timm.__version__} has no model of that name."
            f"{did_you_mean(name, timm.list_models())}"
        )
    base, _, tag = name.partition(".")
    tagged = timm.list_models(f"{base}.*", pretrained=True)
    if tag and name not in tagged:
        raise UnknownChoiceError(
            f"`{name}` is no choice of `model`: timm {timm.__version__} has no weights `{tag}` of `{base}`."
            f"{did_you_mean(name, tagged)}{one_of(tagged)}"
        )
    return get_pretrained_cfg(name)


def read_weights(model: Any, name: str, weights: str) -> None:
    """Read a checkpoint file into the model; every weight of the model must come from it.

    Raises:
        DataError: The file is missing, no checkpoint, or of another model.
    """
    if not Path(weights).is_file():
        raise DataError(f"`weights` must be a file, but there is none at `{weights}`.")
    try:
        state = load_state_dict(weights, weights_only=True)
    except Exception as error:  # pickle, zip and safetensors errors share no base class
        reason = str(error) if " " in str(error) else "it is no checkpoint."  # pickle may say a mere number
        raise DataError(f"`{weights}` cannot be read as weights: {reason}") from error
    wanted = model.state_dict()
    if any(key not in state or state[key].shape != tensor.shape for key, tensor in wanted.items()):
        convert = getattr(importlib.import_module(type(model).__module__), "checkpoint_filter_fn", None)
        if convert is not None:  # timm's own reading of other releases' names, and of positions at another size
            try:
                state = convert(state, model)
            except Exception as error:  # each model has its own, made for its own files
                raise DataError(f"`{weights}` holds no weights of `{name}`: {error!r}.") from error
    classifier = model.pretrained_cfg.get("classifier") or ()
    heads = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    missing = [key for key in wanted if key not in state]
    extra = [key for key in state if key not in wanted and not key.startswith(tuple(f"{head}." for head in heads))]
    unlike = [key for key, tensor in wanted.items() if key in state and state[key].shape != tensor.shape]
    found = {"missing": missing, "unknown": extra, "of another shape": unlike}
    faults = [f"{len(keys)} {what}, such as `{keys[0]}`" for what, keys in found.items() if keys]
    if faults:
        raise DataError(f"`{weights}` holds no weights of `{name}`: {'; '.join(faults)}.")
    model.load_state_dict({key: state[key] for key in wanted})

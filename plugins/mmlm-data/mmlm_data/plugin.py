"""What this plugin gives. Imports neither torch nor pyarrow."""

from __future__ import annotations

from mmlm_core import Component, Traits, hookimpl
from mmlm_data.caption_options import CocoCaptionsOptions, FlickrOptions, KarpathyOptions, VqaOptions
from mmlm_data.folder_options import FolderOptions, MaskFolderOptions
from mmlm_data.huggingface_options import HuggingFaceOptions
from mmlm_data.language_options import ChatOptions, ConllOptions, ParallelOptions, SquadOptions, TextOptions
from mmlm_data.mix_options import MixOptions
from mmlm_data.options import SUFFIXES, MappedOptions, TableOptions, columns_of
from mmlm_data.speech_options import CommonVoiceOptions, LibrispeechOptions, ManifestOptions
from mmlm_data.webdataset_options import WebDatasetOptions

__all__ = ["MMLM_API", "mmlm_components"]

MMLM_API = 1


@hookimpl
def mmlm_components() -> list[Component]:
    """Return the components."""
    return [
        _source("table", TableOptions, "mmlm_data.table:TableSource", SUFFIXES),
        _source("folder", FolderOptions, "mmlm_data.folder:FolderSource"),
        _source("mask_folder", MaskFolderOptions, "mmlm_data.mask_folder:MaskFolderSource"),
        _source("text", TextOptions, "mmlm_data.text:TextSource"),
        _source("chat", ChatOptions, "mmlm_data.chat:ChatSource"),
        _source("parallel", ParallelOptions, "mmlm_data.parallel:ParallelSource"),
        _source("conll", ConllOptions, "mmlm_data.conll:ConllSource"),
        _source("squad", SquadOptions, "mmlm_data.squad:SquadSource"),
        _source("coco_captions", CocoCaptionsOptions, "mmlm_data.coco_captions:CocoCaptionsSource"),
        _source("karpathy", KarpathyOptions, "mmlm_data.karpathy:KarpathySource"),
        _source("flickr", FlickrOptions, "mmlm_data.flickr:FlickrSource"),
        _source("vqa", VqaOptions, "mmlm_data.vqa:VqaSource"),
        _source("librispeech", LibrispeechOptions, "mmlm_data.librispeech:LibrispeechSource"),
        _source("common_voice", CommonVoiceOptions, "mmlm_data.common_voice:CommonVoiceSource"),
        _source("manifest", ManifestOptions, "mmlm_data.manifest:ManifestSource"),
        _source("webdataset", WebDatasetOptions, "mmlm_data.webdataset:WebDatasetSource"),
        _source("huggingface", HuggingFaceOptions, "mmlm_data.huggingface:HuggingFaceSource"),
        Component("data", "mix", MixOptions, "mmlm_data.mix:MixSource", traits=_mix_traits),
    ]


def _source(name: str, options: type, target: str, suffixes: tuple[str, ...] = ()) -> Component:
    return Component("data", name, options, target, traits=_traits, suffixes=suffixes)


def _traits(options: MappedOptions) -> Traits:
    """Return what the columns that are mapped give."""
    provides = {f"input:{modality}" for modality, columns in columns_of(options.inputs).items() if columns}
    target = options.target_words.get(options.target, options.other_words) if options.target else ()
    return Traits(provides=frozenset(provides.union(target)))


def _mix_traits(options: MixOptions) -> Traits:
    """Return the inputs that some source gives (a row may lack one), and of the targets what all of them give."""
    provided = [source.traits.provides for source in options.found.values()]
    inputs = {word for words in provided for word in words if word.startswith("input:")}
    return Traits(provides=frozenset(inputs).union(frozenset.intersection(*provided) if provided else ()))

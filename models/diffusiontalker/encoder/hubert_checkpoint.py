"""Reads a public HuBERT checkpoint, by hub name or from a folder, and refuses in one line what is none.

The format is that of ``transformers``: ``config.json``, ``model.safetensors`` (or ``pytorch_model.bin``, or either in
shards) and, where the input must be normalised, ``preprocessor_config.json``.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging import ERROR, getLogger
from math import prod
from pathlib import Path
from typing import Any, Final

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import HubertConfig, HubertModel
from transformers.utils import logging
from transformers.utils.hub import cached_file

from diffusiontalker.encoder.fingerprint import EncoderError
from diffusiontalker.geometry import FEATURE_STRIDE, FEATURE_WINDOW, SAMPLE_RATE

CONFIG: Final = "config.json"
PREPROCESSOR: Final = "preprocessor_config.json"
_WEIGHTS: Final = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
_UNREADABLE: Final = (OSError, RuntimeError, ValueError, TypeError, KeyError, EOFError, StrictDataclassError)
_PRETRAINING_ONLY: Final = "masked_spec_embed"


@dataclass(frozen=True, slots=True)
class HubertCheckpoint:
    """What a checkpoint holds.

    Attributes:
        model: in single precision, in evaluation mode.
        normalize: its input must have zero mean and unit variance.
    """

    model: HubertModel
    normalize: bool


def read_checkpoint(name: str, *, local_files_only: bool = False) -> HubertCheckpoint:
    """Load a HuBERT.

    Args:
        name: a folder, or a name on the hub such as ``facebook/hubert-base-ls960``.
        local_files_only: take a hub name from the local cache only, without asking the network.

    Raises:
        EncoderError: there is no such checkpoint, a part of it is missing or unreadable, it is not a HuBERT, or its
            features are not the 400 samples every 320 that everything here is timed by.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        _check_folder(folder)
        name, local_files_only = str(folder), True
    elif folder.exists() or folder.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise EncoderError(f"{name} is no folder: name the folder of a HuBERT checkpoint, or one on the hub")
    with _quietly():
        config = _read_config(name, local_files_only)
        model = _read_model(name, config, local_files_only)
        return HubertCheckpoint(model, _read_normalize(name, config, local_files_only))


def _check_folder(folder: Path) -> None:
    missing = []
    if not (folder / CONFIG).is_file():
        missing.append(CONFIG)
    if not any((folder / weights).is_file() for weights in _WEIGHTS):
        missing.append(f"{_WEIGHTS[0]} (or {_WEIGHTS[2]})")
    if missing:
        raise EncoderError(
            f"{folder} is no HuBERT checkpoint: {' and '.join(missing)} missing; "
            "download a whole one, or write one with HubertModel.save_pretrained"
        )


def _read_config(name: str, local_files_only: bool) -> HubertConfig:
    path = Path(name) / CONFIG
    if path.is_file():
        try:
            raw: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise EncoderError(f"{path} cannot be read: {error}; get it again") from error
    else:
        try:
            raw, _ = HubertConfig.get_config_dict(name, local_files_only=local_files_only)
        except _UNREADABLE as error:
            other = "in the hub's local cache: allow the network once" if local_files_only else "on the hub: try again"
            raise EncoderError(f"{name} is neither a folder nor {other}, or check the name") from error
    kind = raw.get("model_type")
    if kind != HubertConfig.model_type:
        raise EncoderError(f"{name} is a {kind or 'model of no stated type'}, not a hubert: name a HuBERT checkpoint")
    try:
        config = HubertConfig.from_dict(raw)
        stride = prod(config.conv_stride)
        window = 1 + sum((k - 1) * prod(config.conv_stride[:i]) for i, k in enumerate(config.conv_kernel))
    except _UNREADABLE as error:
        raise EncoderError(f"{name}: {CONFIG} describes no HuBERT: {_first_line(error)}") from error
    if (stride, window) != (FEATURE_STRIDE, FEATURE_WINDOW):
        raise EncoderError(
            f"{name} makes a feature of {window} samples every {stride}, where {FEATURE_WINDOW} every "
            f"{FEATURE_STRIDE} are needed: name a HuBERT of 50 features a second"
        )
    return config


def _read_model(name: str, config: HubertConfig, local_files_only: bool) -> HubertModel:
    try:
        loaded: Any = HubertModel.from_pretrained(
            name,
            config=config,
            local_files_only=local_files_only,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except (*_UNREADABLE, SafetensorError, pickle.UnpicklingError) as error:
        # What torch says of a broken pickle is advice to trust it.
        why = "no weights" if isinstance(error, pickle.UnpicklingError | EOFError) else _first_line(error)
        raise EncoderError(f"the weights of {name} cannot be read ({why}): get them again") from error
    model, info = loaded
    wrong = sorted(key for key, *_ in info["mismatched_keys"])
    missing = sorted(key for key in info["missing_keys"] if not key.endswith(_PRETRAINING_ONLY))
    for keys, what in ((wrong, "are of other sizes than"), (missing, "are missing, which belong to")):
        if keys:
            raise EncoderError(
                f"the weights of {name} do not fit: {len(keys)} tensors, such as {keys[0]}, {what} the model that "
                f"{CONFIG} describes: get both files again"
            )
    read: HubertModel = model.eval()
    return read


def _read_normalize(name: str, config: HubertConfig, local_files_only: bool) -> bool:
    # Without the file: a layer-normed front end was trained on normalised input, a group-normed one needs none.
    default = config.feat_extract_norm == "layer"
    try:
        path = cached_file(
            name, PREPROCESSOR, local_files_only=local_files_only, _raise_exceptions_for_missing_entries=False
        )
        raw: dict[str, Any] = json.loads(Path(path).read_text("utf-8")) if path else {}
        rate, normalize = raw.get("sampling_rate", SAMPLE_RATE), raw.get("do_normalize", default)
    except _UNREADABLE as error:
        raise EncoderError(f"{name}: {PREPROCESSOR} cannot be read: {_first_line(error)}") from error
    if rate != SAMPLE_RATE:
        raise EncoderError(f"{name} hears {rate} Hz, where {SAMPLE_RATE} Hz are needed: name another checkpoint")
    return bool(normalize)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the libraries' own reports, retries and bar: what is wrong is said in one line here."""
    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    hub = getLogger("huggingface_hub")
    hub_level = hub.level
    logging.set_verbosity(ERROR)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    hub.setLevel(ERROR)
    try:
        yield
    finally:
        hub.setLevel(hub_level)
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _first_line(error: BaseException) -> str:
    # The library wraps what says which line or which sizes in what says that something is wrong.
    error = error.__cause__ or error
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

"""A rolling encoder as ``model.json`` describes it, and back into a module that waits for its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from transformers import HubertConfig, HubertModel

from diffusiontalker.encoder.rolling_config import RollingHubertConfig
from diffusiontalker.encoder.rolling_hubert import RollingHubert

_HUBERT: Final = "hubert"
_WIDTH: Final = "width"


def rolling_shape(encoder: RollingHubert) -> dict[str, Any]:
    """Widths, window and the checkpoint's own configuration, as plain JSON types.

    Of the checkpoint's name the last part is kept: the rest may be a path on somebody's machine.
    """
    config = replace(encoder.config, checkpoint=encoder.config.checkpoint.rstrip("/").split("/")[-1])
    hubert: dict[str, Any] = json.loads(encoder.hubert.config.to_json_string())
    hubert.pop("_name_or_path", None)
    return {_WIDTH: encoder.width, **config.to_dict(), _HUBERT: hubert}


def rolling_of_shape(shape: Mapping[str, Any]) -> RollingHubert:
    """An encoder of random weights in the shape that ``rolling_shape`` gave.

    Raises:
        TypeError: a key is missing or of another release.
    """
    names = {field.name for field in fields(RollingHubertConfig)}
    config = RollingHubertConfig.from_dict({key: value for key, value in shape.items() if key in names})
    hubert = HubertModel(HubertConfig.from_dict(dict(shape[_HUBERT])))
    return RollingHubert(hubert, config)

import math

import pytest

from livetalker.core.config import (
    AUTO,
    ConfigError,
    IdentityChoice,
    Shaping,
    StreamConfig,
    UnknownBlendshapeError,
    UnknownIdentityError,
)


def test_the_defaults_are_valid() -> None:
    config = StreamConfig()
    assert (config.sample_rate, config.fps, config.preset, config.identity) == (16_000, 30, "balanced", AUTO)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sample_rate", 0),
        ("sample_rate", 7_999),
        ("sample_rate", 1_000_000),
        ("fps", 0),
        ("fps", 24),
        ("preset", "fastest"),
        ("seed", -1),
        ("seed", 2**64),
    ],
)
def test_a_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(ConfigError) as error:
        StreamConfig(**{field: value})  # type: ignore[arg-type]
    assert error.value.field == field
    assert str(value) in error.value.message or field == "seed"


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("gains", {"jawOpen": -0.1}),
        ("gains", {"jawOpen": 11.0}),
        ("gains", {"jawOpen": math.nan}),
        ("offsets", {"jawOpen": 1.5}),
        ("offsets", {"jawOpen": -math.inf}),
        ("expression", {"mouthSmileLeft": -0.01}),
        ("expression", {"mouthSmileLeft": 1.01}),
    ],
)
def test_shaping_values_have_ranges(part: str, values: dict[str, float]) -> None:
    with pytest.raises(ConfigError) as error:
        Shaping(**{part: values})  # type: ignore[arg-type]
    assert error.value.field == f"shaping.{part}"
    assert next(iter(values)) in error.value.message


@pytest.mark.parametrize("part", ["gains", "offsets", "expression"])
def test_an_unknown_blendshape_suggests_the_nearest(part: str) -> None:
    with pytest.raises(UnknownBlendshapeError, match="did you mean 'jawOpen'") as error:
        Shaping(**{part: {"JawOpne": 1.0}})  # type: ignore[arg-type]
    assert error.value.field == f"shaping.{part}"


def test_shaping_keeps_its_own_copy() -> None:
    gains = {"jawOpen": 2.0}
    shaping = Shaping(gains=gains)
    gains["jawOpen"] = 99.0
    assert shaping.gains["jawOpen"] == 2.0
    assert shaping == Shaping(gains={"jawOpen": 2.0})


def test_blended_weights_are_normalised() -> None:
    choice = IdentityChoice.blended({"ann": 1.0, "bob": 3.0})
    assert choice.weights == (("ann", 0.25), ("bob", 0.75))


@pytest.mark.parametrize(
    ("mode", "weights"),
    [
        ("nearest", ()),
        ("auto", (("ann", 1.0),)),
        ("pinned", ()),
        ("pinned", (("ann", 1.0), ("bob", 1.0))),
        ("blended", ()),
        ("blended", (("ann", 0.0),)),
        ("blended", (("ann", -1.0), ("bob", 2.0))),
        ("blended", (("ann", math.inf),)),
        ("blended", (("ann", math.nan),)),
        ("blended", (("ann", 1.0), ("ann", 1.0))),
    ],
)
def test_impossible_identities_are_refused(mode: str, weights: tuple[tuple[str, float], ...]) -> None:
    with pytest.raises(ConfigError) as error:
        IdentityChoice(mode, weights)  # type: ignore[arg-type]
    assert error.value.field == "identity"


def test_an_unknown_identity_suggests_the_nearest_if_any_is_near() -> None:
    assert "did you mean 'flite/slt'?" in UnknownIdentityError("identity", "flite/stl", ["flite/slt", "an4/x"]).message
    few = UnknownIdentityError("identity", "zzz", ["flite/slt", "an4/x"]).message
    assert few == "there is no identity 'zzz'; known are 'flite/slt', 'an4/x'"
    many = UnknownIdentityError("identity", "zzz", ["a", "b", "c", "d", "e"]).message
    assert many == "there is no identity 'zzz'; known are 'a', 'b', 'c' and 2 more"
    assert UnknownIdentityError("identity", "zzz", []).message == "there is no identity 'zzz'"

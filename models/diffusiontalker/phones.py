"""The phone inventory every corpus and alignment is brought to: 39 ARPAbet phones and silence.

Stress digits are dropped, names are upper case. Class sets follow the phonetic lip score's definitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SILENCE: Final = "SIL"

PHONES: Final[tuple[str, ...]] = (
    SILENCE,
    *"AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split(),
)
"""The 40 classes; index 0 is silence."""

PHONE_INDEX: Final[dict[str, int]] = {phone: i for i, phone in enumerate(PHONES)}

BILABIALS: Final = frozenset({"P", "B", "M"})
LABIODENTALS: Final = frozenset({"F", "V"})
OPEN_VOWELS: Final = frozenset({"AA", "AE", "AO", "AY", "AW", "AH"})
ROUNDED: Final = frozenset({"UW", "OW", "W", "OY", "UH"})
SPREAD: Final = frozenset({"IY", "IH", "EH", "EY", "AE"})
VOWELS: Final = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())


@dataclass(frozen=True, slots=True)
class TimedPhone:
    """One phone of an utterance.

    Attributes:
        phone: a name of ``PHONES``.
        start: seconds from the start of the clip.
        end: seconds; ``end > start``.
    """

    phone: str
    start: float
    end: float

"""What espeak-ng's phonemes of German, Spanish and Mandarin are to the lips: tables to ARPAbet for measuring with.

ARPAbet has no front rounded vowels, no palatal or uvular fricatives and no unrounded back vowels. Each phoneme is
brought to the phone whose lips and jaw are nearest, whatever the tongue does:

- front rounded vowels are the back rounded ones of their height: y is UW, Y is UH, Y: (as in "schön") is OW;
- x, a velar fricative, is K, and C (as in "ich") is HH: neither asks anything of the lips;
- the uvular r of German and the rolled ones of Spanish do not round the lips as R does: they are G and D;
- b, d and g between Spanish vowels do not close. B (as in "lobo") narrows the lips without contact: it is V, so that
  it is not counted as a closure;
- Mandarin j, q and x are made with spread lips: T S and S; zh, ch, sh and r protrude them as JH, CH, SH and ZH do;
- Mandarin e has no rounding: it is AH, and the buzzing vowels of "si" and "shi" are IH.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from diffusiontalker.corpus.engine import EngineFailed

_SHARED: Final[dict[str, str]] = {
    **{c: c.upper() for c in "p b t d k g f v s z m n l w".split()},
    **{"h": "HH", "j": "Y", "N": "NG", "T": "TH", "D": "DH", "S": "SH", "Z": "ZH", "tS": "CH", "dZ": "JH"},
    **{"x": "K", "X": "HH", "C": "HH", "ts": "T S", "m-": "M", "n-": "N", "N-": "NG", "l-": "L"},
    # a glottal stop and the glide after "i" have no lips of their own
    **{"?": "", ";": ""},
}

_GERMAN: Final[dict[str, str]] = {
    **{"r": "G", "R": "G", "r/": "G", "pF": "P F", "l/": "L", "l2": "L", "g#": "HH", "j": "Y"},
    **{"@": "AH", "@-": "AH", "3": "AH", "a": "AA", "A": "AA", "A:": "AA", "E": "EH", "E2": "EH", "E:": "EH"},
    **{"e": "EY", "e:": "EY", "I": "IH", "I:": "IH", "i": "IY", "i2:": "IY", "i:": "IY", "iR": "IY AH"},
    **{"O": "AO", "o": "OW", "o:": "OW", "oU": "OW", "U": "UH", "UR": "UH AH", "u": "UW", "u:": "UW"},
    **{"y": "UW", "y:": "UW", "Y": "UH", "Y:": "OW", "W": "UH", "aU": "AW", "aI": "AY", "EI": "EY", "OY": "OY"},
    **{"A~": "AA", "O~": "AO", "W~": "UH"},
}

_SPANISH: Final[dict[str, str]] = {
    **{"r": "D", "R": "D", "R2": "D", "**": "D", "B": "V", "Q": "G", "v#": "V", "J": "Y", "J^": "Y"},
    **{"l^": "L Y", "n^": "N Y", "w2": "W"},
    **{"@": "AH", "a": "AA", "a/": "AA", "e": "EH", "e/": "EH", "E": "EH", "i": "IY", "o": "OW", "o/": "OW"},
    **{"O": "AO", "u": "UW", "U": "UH", "y": "UW", "Y": "OW"},
    **{"aI": "AY", "aU": "AW", "eI": "EY", "EI": "EY", "eU": "EH UH", "iU": "Y UW", "oI": "OY", "uI": "W IY"},
}

_MANDARIN: Final[dict[str, str]] = {
    # what pinyin writes b d g is p t k here, without a breath
    **{"p": "B", "t": "D", "k": "G", "ph": "P", "th": "T", "kh": "K", "tsh": "T S"},
    **{"tS;": "T S", "tS;h": "T S", "S;": "S", "ts.": "JH", "ts.h": "CH", "s.": "SH", "z.": "ZH", "x": "HH"},
    **{"@": "AH", "@r": "AH", "o-": "AH", "a": "AA", "A": "AA", "E": "EH", "i": "IY", "i.": "IH", "i[": "IH"},
    **{"o": "AO", "ong": "UH NG", "ou": "OW", "u": "UW", "y": "UW", "yi": "UW", "yu": "UW"},
    **{"ai": "AY", "Au": "AW", "ei": "EY", "iA": "Y AA", "iAu": "Y AW", "iE": "Y EH", "io": "Y OW", "iou": "Y OW"},
    **{"uA": "W AA", "ua": "W AA", "uai": "W AY", "u@": "W AH", "uei": "W EY", "uo": "W AO"},
    **{"y&": "W EH", "yE": "W EH", "y@": "W IH"},
}

_TABLES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    language: {mnemonic: tuple(phones.split()) for mnemonic, phones in (_SHARED | own).items()}
    for language, own in {"de": _GERMAN, "es": _SPANISH, "cmn": _MANDARIN}.items()
}

LANGUAGES: Final = tuple(_TABLES)
"""espeak-ng's codes of the languages that have a table, English aside."""


def language_of(voice: str) -> str:
    """espeak-ng's language code of one of its voices: ``cmn`` of ``cmn-latn-pinyin``."""
    return voice.partition("+")[0].partition("-")[0]


def foreign_phones(mnemonic: str, language: str) -> tuple[str, ...]:
    """ARPAbet phones with the lips of a mnemonic; none for marks that have no sound.

    Args:
        mnemonic: espeak-ng's name of a phoneme.
        language: one of ``LANGUAGES``.

    Raises:
        EngineFailed: there is no table for the language, or it does not know the mnemonic.
    """
    table = _TABLES.get(language)
    if table is None:
        raise EngineFailed(f"no table of espeak-ng's phonemes for {language}: there are {', '.join(LANGUAGES)}")
    phones = table.get(mnemonic)
    if phones is None:
        raise EngineFailed(f"unknown espeak-ng phoneme {mnemonic!r} in {language}")
    return phones

"""What each phone asks of the face: one row of ARKit targets and one of dominances per phone.

A dominance says how much a phone insists on its target for one articulator against its neighbours; 0 leaves the
articulator wholly to them. The numbers are this project's own, set by these facts:

- Lip and jaw height fall with vowel height, and vowels carry over the consonants between them (Öhman 1966, JASA 39).
- Coarticulation as competing dominances per articulator (Löfqvist 1990; Cohen and Massaro 1993).
- Alveolars, velars, nasals but M, and HH put next to no demand on the lips; sibilants narrow the jaw and keep the
  teeth nearly together; bilabials must close, labiodentals must touch the teeth; rounding spreads into its neighbours
  (Edwards, Landreth, Fiume and Singh 2016, "JALI"; Mooshammer, Hoole and Geumann 2007 for the high jaw of sibilants).
- A talking jaw hardly returns to rest between vowels: over four people of BEAT the mean of jawOpen is 0.18 and its
  spread 0.09. So close vowels, and consonants without demands but T and D, keep it a fifth to
  three tenths open.
- SH, CH, JH, ZH and, less, R and ER protrude the lips in English (Ladefoged and Johnson, A Course in Phonetics).
- TH and DH show the tip of the tongue between the teeth, L a little of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.phones import PHONES, SILENCE

ARTICULATORS: Final[tuple[str, ...]] = ("jaw", "rounding", "spreading", "lower_lip", "upper_lip", "tongue")

CURVES: Final[tuple[tuple[str, str], ...]] = (
    ("jawOpen", "jaw"),
    ("jawForward", "jaw"),
    ("mouthPucker", "rounding"),
    ("mouthFunnel", "rounding"),
    ("mouthStretch", "spreading"),
    ("mouthDimple", "spreading"),
    ("mouthLowerDown", "lower_lip"),
    ("mouthShrugLower", "lower_lip"),
    ("mouthUpperUp", "upper_lip"),
    ("mouthShrugUpper", "upper_lip"),
    ("tongueOut", "tongue"),
)
"""The curves blended by dominance, without side (both sides get the same), and the articulator that moves each."""

_TABLE: Final = """
#      open  fwd   puck  funl  strt  dimp  lowD  shrL  uppU  shrU  tong  |  jaw  round  spread  lower   upper   tongue
SIL    0     0     0     0     0     0     0     0     0     0     0     |  1.0  0.6    0.6     1.0     1.0     1.0
AA     .52   .03   0     .12   .08   .05   .28   0     .17   .07   0     |  1.0  0.6    0.5     0.8     0.8     0.6
AE     .47   .03   0     .02   .30   .11   .32   0     .25   .07   0     |  1.0  1.0    1.0     1.0     0.9     0.6
AH     .40   .03   .02   .08   .12   .06   .23   0     .14   .07   0     |  0.9  0.5    0.4     0.8     0.7     0.6
AO     .46   .06   .10   .38   .02   0     .23   0     .14   .07   0     |  1.0  0.8    0.8     0.8     0.8     0.6
EH     .36   .03   0     .02   .30   .11   .26   0     .20   .07   0     |  0.9  1.0    0.9     0.9     0.8     0.6
ER     .27   .10   .08   .36   .02   0     .21   0     .17   .07   0     |  0.8  0.7    0.7     0.7     0.7     0.6
IH     .29   .03   0     .02   .28   .13   .22   0     .14   .07   0     |  0.7  1.0    0.8     0.7     0.7     0.6
IY     .22   .04   0     0     .44   .20   .23   0     .14   .07   0     |  0.9  1.3    1.2     0.9     0.8     0.6
OH     .39   .06   .16   .42   .02   0     .18   0     .11   .07   0     |  1.0  1.0    1.0     0.8     0.8     0.6
UH     .29   .06   .24   .42   .02   0     .16   0     .08   .08   0     |  0.8  1.3    1.2     0.8     0.8     0.6
UW     .20   .08   .38   .54   0     0     .09   .04   .03   .11   0     |  0.9  1.6    1.5     0.9     0.9     0.6
P      .10   .02   0     .02   .08   .10   0     .14   0     .22   0     |  0.9  0.1    0.1     1.0     1.0     0.6
B      .11   .02   0     .02   .08   .10   0     .12   0     .20   0     |  0.9  0.1    0.1     1.0     1.0     0.6
M      .10   .02   0     .02   .08   .08   0     .08   0     .17   0     |  0.9  0.1    0.1     1.0     1.0     0.6
F      .13   0     0     .02   .12   .08   0     .04   .16   .08   0     |  0.9  0.2    0.3     1.0     0.8     0.6
V      .14   0     0     .02   .12   .08   0     .04   .14   .08   0     |  0.9  0.2    0.3     1.0     0.8     0.6
TH     .22   .04   0     .02   .14   .06   .21   0     .11   .07   .35   |  0.9  0.2    0.2     0.6     0.5     1.5
DH     .22   .04   0     .02   .14   .06   .20   0     .11   .07   .22   |  0.7  0.1    0.1     0.4     0.3     1.2
S      .09   .16   0     .02   .28   .14   .21   0     .14   .07   0     |  1.3  0.3    0.4     0.7     0.6     1.0
Z      .10   .16   0     .02   .26   .14   .21   0     .14   .07   0     |  1.3  0.3    0.4     0.7     0.6     1.0
SH     .11   .20   .12   .56   0     0     .23   0     .22   .10   0     |  1.2  0.9    0.8     0.7     0.7     1.0
ZH     .11   .20   .12   .54   0     0     .23   0     .22   .10   0     |  1.2  0.9    0.8     0.7     0.7     1.0
CH     .11   .20   .12   .54   0     0     .22   0     .21   .10   0     |  1.2  0.9    0.8     0.7     0.7     1.0
JH     .12   .20   .11   .50   0     0     .22   0     .21   .10   0     |  1.2  0.8    0.8     0.7     0.7     1.0
T      .14   .05   0     .02   .16   .08   .17   0     .10   .07   0     |  0.8  0.05   0.05    0.3     0.3     0.6
D      .15   .05   0     .02   .16   .08   .17   0     .10   .07   0     |  0.8  0.05   0.05    0.3     0.3     0.6
N      .20   .05   0     .02   .14   .08   .17   0     .08   .07   0     |  0.6  0.05   0.05    0.25    0.25    0.6
L      .26   .04   0     .02   .12   .06   .20   0     .11   .07   .08   |  0.6  0.1    0.1     0.3     0.25    0.8
R      .21   .10   .11   .40   .02   0     .18   0     .14   .07   0     |  0.7  0.7    0.6     0.5     0.4     0.6
K      .23   .02   0     .02   .14   .06   .17   0     .10   .07   0     |  0.4  0.05   0.05    0.2     0.2     0.6
G      .23   .02   0     .02   .14   .06   .17   0     .10   .07   0     |  0.4  0.05   0.05    0.2     0.2     0.6
NG     .23   .02   0     .02   .14   .06   .17   0     .10   .07   0     |  0.4  0.05   0.05    0.2     0.2     0.6
HH     .22   .02   0     .02   .12   .04   .18   0     .11   .07   0     |  0.1  0.03   0.03    0.05    0.05    0.6
W      .13   .08   .42   .52   0     0     .06   .04   .03   .10   0     |  0.9  1.8    1.6     1.0     1.0     0.6
Y      .20   .04   0     .01   .36   .14   .20   0     .11   .07   0     |  0.7  0.6    0.7     0.5     0.5     0.6
"""

GLIDES: Final[dict[str, tuple[tuple[str, float], ...]]] = {
    "AY": (("AA", 0.6), ("IH", 0.4)),
    "AW": (("AA", 0.55), ("UH", 0.45)),
    "OY": (("OH", 0.6), ("IH", 0.4)),
    "OW": (("OH", 0.5), ("UW", 0.5)),
    "EY": (("EH", 0.6), ("IY", 0.4)),
}
"""Diphthongs as two vowels in a row: (row of the table, share of the duration)."""


@dataclass(frozen=True)
class TargetTable:
    """The parsed table.

    Attributes:
        rows: row name -> row number.
        targets: [rows, len(CURVES)], coefficients in 0..1.
        dominances: [rows, len(ARTICULATORS)], relative weights, 0 or more.
    """

    rows: dict[str, int]
    targets: NDArray[np.float64]
    dominances: NDArray[np.float64]


def _parse(text: str) -> TargetTable:
    lines = [line.split() for line in text.strip().splitlines() if not line.startswith("#")]
    cut = lines[0].index("|")
    return TargetTable(
        rows={line[0]: i for i, line in enumerate(lines)},
        targets=np.array([[float(x) for x in line[1:cut]] for line in lines]),
        dominances=np.array([[float(x) for x in line[cut + 1 :]] for line in lines]),
    )


TABLE: Final = _parse(_TABLE)

GESTURES: Final[dict[str, tuple[tuple[int, float], ...]]] = {
    phone: tuple((TABLE.rows[name], share) for name, share in GLIDES.get(phone, ((phone, 1.0),))) for phone in PHONES
}
"""Phone -> its rows and their shares of its duration; a phone outside the inventory is a ``KeyError``."""

REST_ROW: Final = TABLE.rows[SILENCE]

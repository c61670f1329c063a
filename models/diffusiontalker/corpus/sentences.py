"""English sentences to be spoken, drawn from our own patterns and word lists, the same for the same seed.

The words were chosen for the mouth: lips that close (p, b, m), lip and teeth (f, v), rounded and open vowels, all other
phones of English often enough, and next to each other in many orders. Sense is secondary, ordinary rhythm is not.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import Final

_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    name: tuple(words.split())
    for name, words in {
        "name": """Abby Adam Amber Anthony Aunt-May Barbara Ben Beth Bob Bruno Caleb Chloe Clive Cora Daphne Doug
            Eva Felix Fiona Flo Frank George Gwen Hugo Ivy Jack Joy Judith Julia Kevin Laura Leo Louise Mabel Marvin
            Matthew Maya Moe Nathan Noah Olive Oscar Owen Paul Phoebe Poppy Rebecca Robin Rosie Ruth Sophie Steve Sue
            Theo Toby Tom Uma Vera Victor Vivian Walter Wendy Woody Yvonne Zoe""",
        "thing": """apple arrow axe bag balloon banana barrel basket beam bell bicycle blanket boat book boot bottle
            bow box branch bread bridge broom brush bubble bucket button cabbage cable cake camera candle cap car
            carpet chair cheese cherry chicken clock cloth coat coffee comb cookie cup curtain diamond dish door drawer
            drum egg engine envelope fan feather fence fiddle film flag flame flower flute fork frame fruit garage
            garden ghost glove goat goose grape guitar hammer harp hat hook horn horse jacket jam jar jewel jug juice
            kettle key kite knife ladder lamp leaf lemon letter map mask medal melon mirror mitten moon mop motor
            mouse mug mushroom music napkin needle nest newspaper oak oar olive onion orange oven owl package paper
            peach peanut pebble pencil pepper phone piano picture pillow pipe plum poem pool pot pudding pump puppet
            puzzle rabbit radio ribbon ring robe rocket roof rope rose rug ruler saddle salad sandwich scarf shadow
            sheep shell ship shirt shoe shovel soap sock sofa soup spoon stamp statue stone stove suit table teapot
            television thimble thorn thread ticket toast tool toothbrush towel toy trumpet tube tulip umbrella van
            vase vegetable vehicle vest video violin wagon wallet watch wave wheel whistle window wolf wood worm yarn
            yoyo zebra zipper""",
        "place": """airport avenue balcony barn beach bedroom cabin cafe campus castle cathedral cave church city
            classroom corner cottage courtyard desert farm field forest fountain gallery garage garden harbour hilltop
            hospital hotel island kitchen laboratory lake library lobby market meadow mountain museum office orchard
            palace park pasture pavement pharmacy pier platform playground pub river school shore shop square
            stadium station street studio suburb theatre tower town tunnel university valley village waterfall
            workshop yard zoo""",
        "person": """actor artist aunt author baby baker barber boy brother butcher captain chef child coach cousin
            cowboy daughter dentist doctor driver editor emperor engineer farmer father fisherman florist friend
            gardener girl grandfather grandmother guard guide janitor judge king lawyer librarian lifeguard mayor
            mechanic merchant mother musician nephew neighbour nurse painter pianist pilot plumber poet policeman
            postman prince principal professor queen sailor shepherd singer sister soldier stranger student tailor
            teacher thief tourist uncle vet visitor waiter wizard woman writer""",
        "adj": """able ancient angry awful beautiful big bitter blue bold brave bright broad broken brown calm careful
            cheap cheerful clean clever cold cool crooked curious damp dark deep dirty dry dull dusty early easy empty
            enormous famous fancy fat favourite fine firm flat foggy foreign fragile fresh funny furry gentle gloomy
            golden good gray great green happy harsh heavy hollow honest huge hungry jolly large lazy light little
            lonely long loose loud lovely lucky mellow mild modern muddy musical narrow nervous new noisy obvious odd
            old open orange ordinary pale patient perfect plain pleasant polite poor popular proud public purple quick
            quiet rapid raw rough round royal rude sad salty serious shallow sharp shiny short shy silver simple slim
            slippery slow small smooth soft solid sour spare stiff strange strong sudden sunny super sweet swift tall
            tame terrible thick thin thoughtful tiny tough unusual useful vague valuable vast velvet vivid warm weak
            weird wet white whole wide wild wise wonderful wooden wrong yellow young""",
        "past": """admired avoided baked believed borrowed bought broke brought brushed built buried caught chased
            checked chose cleaned collected copied counted covered delivered described discovered dropped emptied
            enjoyed examined explained fixed followed forgot found gave grabbed guarded hid imagined improved
            invented kept knew lifted loved made measured mentioned missed moved noticed offered opened ordered
            painted picked polished praised prepared promised pulled pushed put recognised remembered removed repaired
            returned revealed saved saw served shared showed sold stole studied threw touched traded used valued
            visited wanted washed watched weighed wrapped""",
        "verb": """admire avoid bake believe borrow break bring brush build buy carry catch chase choose clean
            collect copy count cover deliver describe draw drop empty enjoy examine explain find fix follow forget
            guard hide imagine improve invent keep know leave lift lose love measure mention move notice offer open
            order paint pick polish praise prepare promise prove pull push put recognise remember remove repair
            reveal save sell serve share show steal study throw touch trade use value visit wash watch weigh wrap""",
        "go": """arrived bowed climbed cried danced escaped fell flew hopped hurried jumped laughed marched moved
            paused played prayed rowed sailed shouted slept smiled smoked snored spoke stumbled swam talked travelled
            vanished voted waited walked wandered waved whispered whistled worked yawned""",
        "adverb": """abruptly almost always badly bravely briefly carefully certainly cheerfully easily eventually
            finally gently gladly happily hardly immediately joyfully loudly never nicely normally obviously often
            patiently perfectly politely possibly probably proudly quickly quietly rarely simply slowly smoothly
            softly sometimes soon suddenly surely thoroughly usually very-often warmly wisely""",
        "body": """arm back beard chin ear elbow eyebrow face finger foot forehead hair hand knee leg mouth neck nose
            palm shoulder stomach thumb toe tongue tooth wrist""",
        "stuff": """air beef bronze butter cement chocolate clay copper cotton dough flour fog fur glass gold gravy
            honey ice ink iron leather lime marble milk mud oil paint porridge rice rubber salt sand silk smoke snow
            steam sugar tea thunder tin tobacco vinegar water wax wheat wine wool""",
        "month": "January February March April May June July August September October November December",
        "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "prep": "above across around before behind below beside beyond from inside near opposite outside past toward",
        "time": """yesterday today tonight tomorrow last-week this-morning before-noon at-midnight in-the-evening
            all-afternoon every-summer once-more after-lunch for-a-month in-spring""",
    }.items()
}

_PATTERNS: Final[tuple[str, ...]] = (
    "The {adj} {person} {past} the {adj} {thing} {prep} the {place}.",
    "{name} {past} a {thing} and a {thing} {time}.",
    "{name} and {name} {adverb} {past} my {adj} {thing}.",
    "Why would you {verb} the {person}'s {thing}?",
    "Where did {name} {verb} that {adj} {thing}?",
    "Who {past} the {thing} {prep} the {place}?",
    "Do you {adverb} {verb} {stuff} with {stuff}?",
    "What a {adj} {thing}!",
    "How {adj} you are, {name}!",
    "Please {verb} the {thing}, {name}.",
    "Oh no, the {thing} fell into the {stuff}!",
    "We {go} {prep} the {place}, and then we {go} {prep} the {place}.",
    "My {body} hurts, but my {body} feels {adj}.",
    "Her {body} was as {adj} as {stuff}.",
    "If the {person} {go}, the {person} would {verb} the {thing}.",
    "There were {number} {adj} {things} {prep} the {place}.",
    "It costs {number} pounds and {number} pence.",
    "We meet on {day}, the {ordinal} of {month}.",
    "My number is {digits}.",
    "That is spelled {letters}.",
    "{letters}, {digits}.",
    "{digits}",
    "{letters}",
    "Room {number}, {place} {thing}, {letters}.",
    "Was it {number} or {number}?",
    "The {thing} of the {adj} {person} is made of {stuff}.",
    "Nobody in the {place} {past} us, although the {person} {adverb} {go}.",
    "Maybe {name} should {verb} both the {thing} and the {thing} before {day}.",
    "{name}, could you {verb} me a {thing}?",
    "I {past} it {time}.",
    "You {adverb} {verb} me.",
    "Move, {name}, move!",
    "Yes.",
    "No, thank you.",
    "Good morning, {name}.",
    "Well, I {adverb} {verb} {stuff}.",
    "Both of us {go} {time}; few of them {go} at all.",
    "When the {person} {go}, everybody {go} {prep} the {place}.",
    "A {adj} {person} from the {place} {past} {number} {things} for {name}.",
    "Five {adj} {things}, four {adj} {things}, and one {thing}.",
    "People who {verb} {stuff} {adverb} {verb} {stuff}.",
    "Our {person} {past} {name}'s {thing}, which was {adj} and {adj}.",
    "Above the {place} you may {verb} a {adj} {thing}.",
    "{stuff}, {stuff}, and {stuff}.",
    "The {place} was {adj}, the {place} was {adj}.",
    "I'm sure you'd {verb} the {person} who {past} {name}.",
    "She'll {verb} him {time}, won't she?",
    "Don't {verb} my {thing}!",
    "Put the {thing} on the {thing}, the {thing} in the {place}.",
    "{name} thinks that the {person}'s {body} looks {adj}.",
)

_ORDINALS: Final = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth thirtieth"
).split()
_DIGITS: Final = "zero one two three four five six seven eight nine oh".split()
_TEENS: Final = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SLOT: Final = re.compile(r"\{(\w+)\}")


def sentence(rng: random.Random) -> str:
    """One sentence, question, exclamation, or string of letters or digits.

    Args:
        rng: where every choice comes from.

    Returns:
        Text of one to about 16 words, with the capital and the mark a writer would give it.
    """
    text = _SLOT.sub(lambda slot: _fill(slot[1], rng), rng.choice(_PATTERNS))
    text = re.sub(r"\b([Aa]) (?=[aeiouAEIOU](?!ni|se))", r"\1n ", text).replace("-", " ")
    return text[0].upper() + text[1:]


def content_words() -> frozenset[str]:
    """Every word a slot can hold, for checks of coverage."""
    return frozenset(word for words in _WORDS.values() for word in words)


def _fill(slot: str, rng: random.Random) -> str:
    make = _MADE.get(slot)
    return make(rng) if make else rng.choice(_WORDS[slot])


def _number(rng: random.Random) -> str:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(_TEENS)
    if kind == 1:
        return f"{rng.choice(_TENS)} {rng.choice(_DIGITS[1:10])}"
    if kind == 2:
        return f"{rng.choice(_DIGITS[1:10])} hundred and {rng.choice(_TENS)} {rng.choice(_DIGITS[1:10])}"
    return f"{rng.choice(_DIGITS[2:10])} thousand {rng.choice(_DIGITS[2:10])} hundred"


def _digits(rng: random.Random) -> str:
    return " ".join(rng.choice(_DIGITS) for _ in range(rng.randint(3, 7)))


def _letters(rng: random.Random) -> str:
    letters = [rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(rng.randint(3, 7))]
    # Full stops make a synthesiser pause between the letters, commas make it sing; both happen when people spell.
    return rng.choice((" ", ", ")).join(letters)


def _things(rng: random.Random) -> str:
    thing = rng.choice(_WORDS["thing"])
    if thing.endswith(("x", "s", "sh", "ch")):
        return thing + "es"
    return thing[:-1] + "ies" if re.search("[^aeiou]y$", thing) else thing + "s"


_MADE: Final[Mapping[str, Callable[[random.Random], str]]] = {
    "things": _things,
    "number": _number,
    "digits": _digits,
    "letters": _letters,
    "ordinal": lambda rng: rng.choice(_ORDINALS),
}

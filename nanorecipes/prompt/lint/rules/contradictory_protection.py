"""NR112: what the edit changes is also protected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from nanorecipes.prompt.lint.draft import is_image, is_value
from nanorecipes.prompt.lint.grammar import Command, Thing, same, synonyms
from nanorecipes.prompt.lint.rule import Fault, Rule
from nanorecipes.prompt.lint.words import Phrases, blot, listed, singular

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nanorecipes.prompt.lint.context import Context
    from nanorecipes.prompt.lint.draft import Draft
    from nanorecipes.prompt.lint.variants import Variant

_WHOLE = frozenset(
    "replace recolour remove restyle material outfit weather background vary".split()
)
"""Operations after which the thing itself is no longer as in the image."""
_PROPERTIES = {
    "recolour": "color",
    "material": "material",
    "move": "position",
    "scale": "size",
    "body": "pose",
    "outfit": "clothes",
    "add": "number",
    "remove": "number",
}
"""What an operation changes of a thing, by the first word of the synonyms for it."""
_KIN = {
    "color": frozenset("colour color hue tint shade".split()),
    "material": frozenset("material surface texture grain finish".split()),
    "position": frozenset("position place location placement spot".split()),
    "size": frozenset("size scale dimension height width length".split()),
    "pose": frozenset("pose posture stance".split()),
    "number": frozenset("number count amount".split()),
    "clothes": frozenset("clothes clothing outfit attire garment".split()),
}
_SURFACING = frozenset(
    "tile retile pave repave paper repaper wallpaper plaster replaster carpet floor reroof"
    " thatch".split()
)
_DRESSING = frozenset("dress clothe outfit redress".split())
_HAIRCUT = frozenset("haircut hairstyle hairdo".split())
_CUTTING = frozenset("cut trim shorten crop lengthen grow bob shave".split())
_EXCHANGING = frozenset("replace swap exchange change substitute switch set put move".split())
_COVERING = frozenset("reupholster upholster re-cover recover".split())
_COVER = frozenset("colour color pattern fabric material upholstery cover".split())
_DYEING = frozenset("dye bleach tint recolour recolor colour color tone highlight".split())
_SCENE = frozenset(
    "scene image picture photo view weather season time day daytime daylight noon morning afternoon"
    " evening night dusk dawn summer winter spring autumn sky light lighting sun".split()
)
_LIGHT_SIDE = frozenset(
    "direction softness colour color temperature quality mood tone angle intensity warmth fall"
    " position hardness".split()
)
_LIT_UP = re.compile(r"\blight up (?!the (?:scene|image|picture|photo|room|whole)\b)")
"""`light up the scoreboard`: a thing that shines by itself."""
_MONOCHROME = re.compile(r"\b(?:black[ -]and[ -]white|monochrome|gr[ae]y ?scale|sepia)\b")
_COLOUR_OF_ALL = frozenset("colour color palette hue tone colouring coloring".split())
_BACKGROUND = frozenset("background backdrop backgrounds surroundings surrounding".split())
_FRAME = frozenset("framing crop frame composition format".split())


class ContradictoryProtection(Rule):
    """What the edit changes is also in the protect list.

    What it does: compares the things that the edit's orders act on with the heads of the protect
    items: the sofa that is replaced and kept, the walls that are recoloured while their colour is
    kept, the background that is exchanged and kept. Where time of day, season, weather or light
    change, light and shadows can't stay either. A part of the thing, or another one of its kind
    ("the shutters of the other windows"), may stay.

    Why it matters: the model can't obey both sentences. It follows one of them, and not always the
    same one.

    Example:

        edit: Turn the day in {{ market }} into night.
        protect: [the stalls, the lighting and the shadows]

    Use instead:

        protect: [the stalls and their awnings, every face, the framing]

    References: rule 10 of the prompt guide.
    """

    code = "NR112"
    name = "contradictory-protection"
    severity = "error"
    status = "preview"

    def check(self, context: Context) -> Iterator[Fault]:
        seen: set[tuple[int, ...]] = set()
        variants = [*context.variants, *(context.examples if _takes_words(context) else ())]
        for variant in variants:
            key = tuple(map(id, (variant.edit, *variant.protect)))
            if key not in seen:
                seen.add(key)
                yield from self._compare(context, variant)

    def _compare(self, context: Context, variant: Variant) -> Iterator[Fault]:
        edit = variant.edit
        if edit is None:
            return
        orders = edit.commands
        gone = changed_light(edit, orders)
        wanted = _words_to_look_for(orders, gone)
        first = next(iter(variant.attached), None)
        backdrop = context.changes == "background"
        if wanted is not None:
            wanted |= _BACKGROUND if backdrop else set()
            kept = "\n".join([draft.lower for draft in variant.protect])
            wanted = {word for word in wanted if word in kept}
        for draft in variant.protect if wanted != set() else ():
            if draft.image not in (None, first):
                continue  # what stays as in a reference is what the edit brings in
            if wanted is not None and not any(word in draft.lower for word in wanted):
                continue
            for thing in draft.things:
                why = (
                    _against(thing, orders, edit, away=backdrop)
                    or _against_light(thing, gone, draft)
                    or (_against_background(thing, orders) if backdrop else None)
                )
                if why is not None:
                    shown = draft.text[thing.start : thing.end]
                    message = f"{shown!r} is protected, but {why}"
                    advice = "protect what stays of it, or take the item out"
                    yield Fault(context.place(draft, thing.start, thing.end), message, advice)
                    break


def _takes_words(context: Context) -> bool:
    """Whether a caller's words can be what is changed or kept, so that examples tell more."""
    edit = context.fullest.edit
    return any(draft.values for draft in context.fullest.protect) or (
        edit is not None
        and any(is_value(thing.head[0]) for order in edit.commands for thing in order.things)
    )


def _words_to_look_for(orders: Sequence[Command], gone: frozenset[str]) -> set[str] | None:
    """Beginnings of words, one of which a contradicting item holds; None when any may be one."""
    if gone:
        return None
    heads = {thing.head for order in orders for thing in order.things if order.verb}
    wanted = {part for head in heads for part in _beginnings(head)}
    for order in orders:
        wanted |= set(_KIN["clothes"]) if order.verb in _DRESSING else set()
        for kind in order.classes & _PROPERTIES.keys():
            wanted |= _KIN[_PROPERTIES[kind]]
        if "restyle" in order.classes or any(is_image(thing.head[0]) for thing in order.things):
            wanted |= _COLOUR_OF_ALL | {"style", "medium"}
    return wanted | (_HAIRCUT if "hair" in heads else set())


@cache
def _beginnings(head: str) -> tuple[str, ...]:
    """How a head and its synonyms begin, in singular and plural."""
    words = {*(word for word in synonyms() if same(word, head)), head}
    return tuple(word[:-1] if len(word) > 3 else word for word in words)


def _against(thing: Thing, orders: Sequence[Command], edit: Draft, *, away: bool) -> str | None:
    """Why a protected thing can't stay, given what the orders act on; `away` to another place."""
    if thing.is_another or is_image(thing.head[0]):
        return None
    for order in orders:
        if away and "move" in order.classes:
            continue  # `move the van to a beach` moves nothing in the frame
        classes = order.classes
        if order.verb in _DRESSING and thing.head in _KIN["clothes"]:
            return "the edit changes the clothes"
        for target in order.things:
            if is_image(target.head[0]):
                if _of_whole(thing, order, edit):
                    return "the edit changes it in the whole picture"
                continue
            whole = (classes & _WHOLE and "move" not in classes) or order.verb in _SURFACING
            if whole and _is_same(thing, target):
                return f"the edit begins with {order.verb!r} and acts on it"
            if _is_property(thing, target, order):
                return f"it is what the edit changes of the {target.head}"
    return None


def _is_same(thing: Thing, target: Thing) -> bool:
    """Whether two phrases name one thing: the same head, and nothing that tells them apart."""
    if not same(thing.head, target.head) or target.is_another:
        return False
    if same(thing.head, "background"):
        return True  # there is only one
    mine, theirs = _marks(thing), _marks(target)
    if not mine or not theirs:
        return True
    # `the bearded groom's suit` and `the clean-shaven groom's suit`: each has a mark of its own.
    return mine <= theirs or theirs <= mine


def _marks(thing: Thing) -> frozenset[str]:
    return frozenset(
        word for word in thing.owners if word not in _UNMARKED and not is_image(word[0])
    )


_UNMARKED = frozenset(
    "the a an his her its their this that only all both entire whole present old current existing"
    " image picture photo scene original new each every".split()
)


def _is_property(thing: Thing, target: Thing, order: Command) -> bool:
    """`the colour of the walls` against `recolour the walls`, `the kettle's place` against"
    " `move`."""
    if target.head == "hair" and order.verb not in _DYEING and thing.head in _HAIRCUT:
        return "outfit" in order.classes
    if target.head == "hair" and order.verb in _CUTTING and thing.head == "length":
        return "hair" in thing.owners
    if thing.head in _KIN["number"] and not thing.of:
        return False  # `the house number` counts nothing
    if order.verb in _COVERING and thing.head in _COVER:
        names = {target.head, "upholstery", "cover", "fabric"}
        return not names.isdisjoint(thing.owners)
    for kind in order.classes:
        kin = _KIN.get(_PROPERTIES.get(kind, ""), frozenset())
        if kind == "outfit" and order.verb not in _DRESSING:
            continue
        if thing.head in kin and any(same(owner, target.head) for owner in thing.owners):
            return _sure(kind, order)
    return False


def _sure(kind: str, order: Command) -> bool:
    """Whether the verb surely means this operation; `turn` may turn anything."""
    return (
        len(order.classes) == 1
        or kind == "recolour"
        or order.verb in ("move", "scale", "pose", "add", "insert")
    )


def _of_whole(thing: Thing, order: Command, edit: Draft) -> bool:
    """A property of the whole picture that an order on the whole picture changes."""
    if thing.of or len(thing.words) > 1 or set(thing.rest) - {"in", "of", "the"}:
        return False
    if thing.head in _COLOUR_OF_ALL:
        colours = order.verb in ("colourise", "colorize", "colorise", "colourize", "desaturate")
        return colours or bool(_MONOCHROME.search(edit.lower))
    return thing.head in ("style", "medium") and "restyle" in order.classes


def changed_light(edit: Draft, orders: Sequence[Command]) -> frozenset[str]:
    """What goes with the edit: `light`, and `season` or `weather` where those change."""
    found: set[str] = set()
    for order in orders:
        heads = {thing.head for thing in order.things}
        whole = not heads or any(is_image(head[0]) or head in _scene() for head in heads)
        if order.verb == "light" and _LIT_UP.search(edit.lower):
            whole = False
        if "relight" in order.classes and (order.verb == "relight" or whole):
            found.add("light")
        if not order.classes & {"weather", "replace", "vary", "move"}:
            continue
        if not whole and order.classes != {"weather"}:
            continue
        begin = order.things[0].start if order.things else 0
        text = _without_things(edit.lower[begin:])
        # Another sky over the same day may leave the light as it is.
        kinds = ("times",) if heads == {"sky"} else ("times", "seasons", "weather")
        for kind in kinds:
            if _named(kind).pattern.search(text):
                found |= {"light", kind}
        found |= {"light", f"{head}s"} if (head := "season") in heads else set()
        found |= {"light", "weather"} if "weather" in heads else set()
        if "daytime" in heads or ("time" in heads and "day" in edit.lower):
            found.add("light")
    return frozenset(found)


@cache
def _scene() -> frozenset[str]:
    """Words after which an order is about the whole: `turn the midday into dusk`."""
    return _SCENE | listed("light_words", "times", "seasons")


@cache
def _named(kind: str) -> Phrases:
    return Phrases(listed("light_words", kind) - {"wind", "light", "clear", "fall", "spring"})


@cache
def _not_light() -> Phrases:
    return Phrases(listed("light_words", "not_light"))


def _without_things(lower: str) -> str:
    """The text without things that only have a light, a time or a season in their name."""
    return blot(lower, [match.span() for match in _not_light().pattern.finditer(lower)])


def _against_light(thing: Thing, gone: frozenset[str], draft: Draft) -> str | None:
    """Why a protected thing can't stay when light, season or weather change."""
    if not gone or thing.is_another:
        return None
    text = _without_things(draft.lower[thing.start : thing.end])
    if text.split()[-1].strip("_") == "":
        return None
    head = thing.head
    lit = head in _words("light") and not _names_thing(thing) and not _is_lamps(thing, draft)
    if lit or (head in _LIGHT_SIDE and any(word in _words("light") for word in thing.of)):
        return "the edit changes the light"
    phrase = " ".join((*thing.words, head))
    for kind, bound in (("seasons", "season_bound"), ("weather", "weather_bound")):
        if kind in gone and (head in _words(bound) or phrase in _words(bound)):
            return f"it goes with the {singular(kind)} that the edit changes"
    return None


def _names_thing(thing: Thing) -> bool:
    """`the light of the lamp`, `the sun on the sign`: a light of its own in the scene."""
    return any(word in ("lamp", "sign", "painting", "mural", "logo") for word in thing.owners)


def _against_background(thing: Thing, orders: Sequence[Command]) -> str | None:
    """Why a background can't stay where another one takes its place."""
    whole = thing.head in _BACKGROUND or (
        thing.head == "rest" and not _BACKGROUND.isdisjoint(thing.of)
    )
    if not whole or thing.owners - _BACKGROUND - _UNMARKED:
        return None
    exchanged = orders and orders[0].verb in _EXCHANGING
    return "the edit puts another background in its place" if exchanged else None


def _is_lamps(thing: Thing, draft: Draft) -> bool:
    """`the lamp and its glow`: the light of something that shines by itself."""
    before = {token.word for token in draft.tokens if token.end <= thing.start}
    owned = not {"its", "their"}.isdisjoint(thing.words)
    return owned and not before.isdisjoint(_words("sources"))


@cache
def _words(kind: str) -> frozenset[str]:
    words = listed("light_words", kind)
    return words | frozenset(singular(word) for word in words)

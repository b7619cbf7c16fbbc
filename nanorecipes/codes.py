"""The codes of findings about the format and about calls: NR0xx. (The guide's rules are NR1xx.)"""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """A kind of finding: its number, its name, and what it means."""

    code: str
    name: str
    about: str


SYNTAX = Code("NR001", "yaml-syntax", "The file is not YAML.")
REPEATED_KEY = Code("NR002", "repeated-key", "A key stands twice in one mapping.")
TOO_LARGE = Code("NR003", "too-large", "The file is larger, deeper or more aliased than allowed.")
UNKNOWN_KEY = Code("NR004", "unknown-key", "The format has no such key.")
MISSING_KEY = Code("NR005", "missing-key", "A required key is absent.")
WRONG_VALUE = Code("NR006", "wrong-value", "A value has another type or form than the format asks.")
BAD_NAME = Code("NR007", "bad-name", "A name is malformed, taken twice, or reserved for the call.")
BAD_PARAM = Code("NR008", "bad-parameter", "A parameter's declaration contradicts itself.")
BAD_REFERENCE = Code("NR009", "unknown-reference", "A name that the recipe does not declare.")
TEMPLATE_SYNTAX = Code("NR010", "template-syntax", "A template is not valid Jinja2.")
UNDEFINED = Code("NR011", "undefined-variable", "A template uses a name that nothing defines.")
UNKNOWN_FILTER = Code("NR012", "unknown-filter", "A template uses a filter or test not offered.")
UNKNOWN_MACRO = Code("NR013", "unknown-macro", "A macro or macro file does not exist.")
MACRO_ARGUMENTS = Code("NR014", "macro-arguments", "A macro is called with arguments it lacks.")
UNUSED_PARAM = Code("NR015", "unused-parameter", "No template uses this parameter.")
UNUSED_IMAGE = Code("NR016", "unused-image", "The prompt never speaks of this image.")
NOT_ALLOWED = Code("NR017", "not-allowed", "A template construct that recipes may not use.")
BAD_EXAMPLE = Code("NR018", "broken-example", "An example does not render.")
RENDER_BOUND = Code("NR019", "render-bound", "Rendering took too many steps or grew too large.")
BAD_PARENT = Code("NR020", "bad-parent", "`extends` or `!override` can't be resolved.")
DUPLICATE_NAME = Code("NR021", "duplicate-name", "Two libraries hold a recipe of the same name.")
UNREADABLE = Code("NR022", "unreadable-file", "The file can't be read.")
BAD_SETTING = Code("NR023", "bad-setting", "A setting that the recipe's model does not offer.")
OUTSIDE = Code("NR024", "outside-library", "A path or link leads out of the library.")
UNKNOWN_RULE = Code("NR025", "unknown-rule", "`allow` names a rule that the guide does not have.")
UNUSED_ALLOW = Code("NR026", "unused-allow", "`allow` names a rule that the recipe does not break.")

UNKNOWN_ARGUMENT = Code("NR030", "unknown-argument", "The recipe has no such argument.")
MISSING_ARGUMENT = Code("NR031", "missing-argument", "A required argument was not given.")
BAD_ARGUMENT = Code("NR032", "bad-argument", "An argument's value does not fit its declaration.")
BAD_IMAGE = Code("NR033", "bad-image", "An image argument can't be used.")
BAD_OPTION = Code("NR034", "bad-option", "A call option's value can't be used.")

LIMIT_PROMPT = Code("NR040", "prompt-too-long", "The prompt is longer than the model reads.")
LIMIT_IMAGES = Code("NR041", "image-count", "More or fewer images than the model takes.")
LIMIT_COUNT = Code("NR042", "num-images", "More pictures asked for than one request may make.")
LIMIT_RATIO = Code("NR043", "aspect-ratio", "A ratio that the model does not offer.")
LIMIT_QUALITY = Code("NR044", "quality", "A quality tier that the model does not offer.")
LIMIT_SEARCH = Code("NR045", "search", "Search grounding on a model without it.")
LIMIT_MODEL = Code("NR046", "unknown-model", "A model that the catalogue does not list.")

ALL: tuple[Code, ...] = tuple(value for value in globals().values() if isinstance(value, Code))

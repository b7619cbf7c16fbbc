"""What the format asks beyond the form of each value: names, bounds and references that agree."""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError, SchemaError, SchemaValidator, ValidationError

from nanorecipes import codes
from nanorecipes.recipe import findings
from nanorecipes.recipe.params import (
    LINE_MAX,
    MULTILINE_MAX,
    NUMBER_MAX,
    Param,
    ParamType,
    compile_value,
    enum_key,
    fold,
    make_param,
    make_slot,
)
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from nanorecipes.diagnostics import Diagnostic
    from nanorecipes.recipe.source import Document, Path_

CALL_OPTIONS = (
    "model", "quality", "aspect_ratio", "num_images", "seed", "search", "protect", "notes", "out",
)  # fmt: skip

MAX_IMAGES = 28
"""14 sources and 14 references: a request takes no more."""
MAX_PARAMS = 100

TEMPLATE_WORDS = frozenset({
    "and", "as", "elif", "else", "false", "for", "from", "if", "import", "in", "is", "loop",
    "namespace", "none", "not", "or", "range", "recursive", "self", "set", "super", "true", "with",
    "without",
})  # fmt: skip
"""Names that a template could not read, or would read as something else."""


_BOUNDS = frozenset(
    ("pattern", "format", "minimum", "maximum", "minLength", "maxLength"),
)
"""What a declaration asks of a value, and that the values of its enum may contradict."""


class _Checker:
    def __init__(self, document: Document, data: dict[str, Any]) -> None:
        self.document = document
        self.data = data
        self.problems: list[Diagnostic] = []

    def report(
        self,
        code: codes.Code,
        path: Path_,
        message: str,
        help: str | None = None,
        *,
        key: bool = False,
    ) -> None:
        place = self.document.place(path, key=key)
        self.problems.append(place.diagnostic(code, message, help=help))

    def run(self) -> list[Diagnostic]:
        for group, most in (("images", MAX_IMAGES), ("params", MAX_PARAMS)):
            if len(self.data.get(group, ())) > most:
                self.report(codes.TOO_LARGE, (group,), f"more than {most} {group}", key=True)
                return self.problems
        self.check_names()
        for name, spec in self.data["images"].items():
            self.check_slot(name, spec or {})
        for name, spec in self.data.get("params", {}).items():
            self.check_param(name, spec or {})
        self.check_fixed()
        self.check_protect()
        self.check_prove()
        self.check_examples()
        return self.problems

    def check_names(self) -> None:
        images, params = self.data["images"], self.data.get("params", {})
        for group, names in (("images", images), ("params", params)):
            for name in names:
                if iskeyword(name) and name not in TEMPLATE_WORDS:
                    message = f"{name!r} is a word of Python, so no call could pass it by name"
                    self.report(codes.BAD_NAME, (group, name), message, key=True)
                if name in CALL_OPTIONS:
                    advice = f"choose another name, for example {name}_text"
                    message = f"{name!r} is the name of a call option"
                    self.report(codes.BAD_NAME, (group, name), message, advice, key=True)
                elif name in TEMPLATE_WORDS:
                    message = f"{name!r} is a word of the template language"
                    self.report(codes.BAD_NAME, (group, name), message, key=True)
        for name in params:
            if name in images:
                message = f"{name!r} is an image already; images and parameters share their names"
                self.report(codes.BAD_NAME, ("params", name), message, key=True)
        if not any((spec or {}).get("role", "source") == "source" for spec in images.values()):
            message = "no image has the role source; the service edits at least one"
            self.report(
                codes.WRONG_VALUE, ("images",), message, "give one `role: source`", key=True
            )

    def check_slot(self, name: str, spec: dict[str, Any]) -> None:
        slot = make_slot(name, spec)
        path = ("images", name)
        if slot.min > slot.max:
            message = f"min {slot.min} is above max {slot.max}"
            self.report(codes.WRONG_VALUE, (*path, "min"), message)
        if spec.get("optional") is False and spec.get("min") == 0:
            message = "min 0 makes the slot optional, but it says optional: false"
            self.report(codes.WRONG_VALUE, (*path, "min"), message)

        self.check_text((*path, "label"), spec.get("label", ""))

    def check_text(self, path: Path_, text: str) -> None:
        """Refuse words of the author's that could break a line or a section of the prompt."""
        try:
            fold(text)
        except PydanticCustomError as exc:
            context = exc.context or {}
            message = f"{path[-1]} holds the control character {context['character']}"
            self.report(codes.WRONG_VALUE, path, message)

    def check_param(self, name: str, spec: dict[str, Any]) -> None:
        param = make_param(name, spec)
        before = len(self.problems)
        for key, advice, message in self.contradictions(param, spec):
            self.report(codes.BAD_PARAM, ("params", name, key), f"{name}: {message}", advice)
        self.check_wording(param)
        if len(self.problems) == before:
            self.check_compiles(param, spec)

    def contradictions(
        self, param: Param, spec: dict[str, Any]
    ) -> list[tuple[str, str | None, str]]:
        found: list[tuple[str, str | None, str]] = []
        texts = ("minLength", "maxLength", "pattern", "format")
        for keys, kinds, noun in (
            (texts, ("string", "array"), "texts"),
            (("minimum", "maximum"), ("integer", "number"), "numbers"),
            (("minItems", "maxItems"), ("array",), "arrays"),
        ):
            for key in keys:
                if key in spec and param.type not in kinds:
                    found.append((key, None, f"{key} is for {noun}, but the type is {param.type}"))
        for key in ("minimum", "maximum"):
            if abs(spec.get(key, 0)) > NUMBER_MAX:
                found.append((key, None, f"{key} is beyond {NUMBER_MAX}"))
        for low, high in (
            ("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"),
        ):  # fmt: skip
            if low in spec and high in spec and spec[low] > spec[high]:
                found.append((low, None, f"{low} {spec[low]} is above {high} {spec[high]}"))
        least, most = spec.get("minLength"), spec.get("maxLength")
        if least is not None and most is None and least > param.max_length:
            usual = MULTILINE_MAX if param.format == "multiline" else LINE_MAX
            found.append(("minLength", "give a maxLength", f"minLength is above the usual {usual}"))
        if param.enum is not None:
            found += self.enum_contradictions(param)
        return found

    def enum_contradictions(self, param: Param) -> list[tuple[str, str | None, str]]:
        found: list[tuple[str, str | None, str]] = []
        seen: set[str] = set()
        kinds: dict[str, tuple[type, ...]] = {
            "string": (str,), "array": (str,), "boolean": (bool,),
            "integer": (int,), "number": (int, float),
        }  # fmt: skip
        for value in param.enum or ():
            key = enum_key(value)
            if key in seen:
                found.append(("enum", None, f"the value {key!r} stands twice"))
            seen.add(key)
            fits = isinstance(value, kinds[param.type])
            if not fits or (isinstance(value, bool) and param.type != "boolean"):
                advice = f'quote it: "{key}"' if param.type in ("string", "array") else None
                message = f"{findings.found(value)} does not fit the type {param.type}"
                found.append(("enum", advice, message))
            if isinstance(value, str) and not _is_line(value):
                found.append(("enum", None, f"{value!r} is not one line of text"))
        return found

    def check_wording(self, param: Param) -> None:
        if param.wording is None:
            return
        path = ("params", param.name, "wording")
        if param.enum is None:
            self.report(codes.BAD_PARAM, path, f"{param.name}: wording needs an enum")
            return
        if any(isinstance(value, bool) for value in param.enum):
            message = f"{param.name}: true and false have no wording"
            advice = "use texts, or write the words into the template with `if`"
            self.report(codes.BAD_PARAM, path, message, advice, key=True)
            return
        if param.format != "line":
            message = f"{param.name}: wording and format {param.format} exclude each other"
            self.report(codes.BAD_PARAM, path, message, key=True)
        known = [enum_key(value) for value in param.enum]
        for key in param.wording:
            if key not in known:
                advice = did_you_mean(key, known) or f"the enum has {', '.join(known)}"
                message = f"{param.name}: wording for {key!r}, which the enum does not have"
                self.report(codes.BAD_PARAM, (*path, key), message, advice, key=True)
        for key, words in param.wording.items():
            self.check_text((*path, key), words)
        for key in known:
            if key not in param.wording:
                message = f"{param.name}: wording is missing for {key!r}"
                self.report(codes.BAD_PARAM, path, message, key=True)

    def check_compiles(self, param: Param, spec: dict[str, Any]) -> None:
        """Prove the declaration on itself: its pattern, its default and its examples."""
        path = ("params", param.name)
        samples = _samples(param)
        bounded_enum = param.enum is not None and not _BOUNDS.isdisjoint(spec)
        if not (samples or bounded_enum or "pattern" in spec):
            return
        try:
            validator = compile_value(param)
        except SchemaError as exc:
            reason = str(exc).split("regex parse error:")[-1].strip().split("\n")[-1]
            message = f"{param.name}: the pattern can't be used: {reason}"
            self.report(codes.BAD_PARAM, (*path, "pattern"), message)
            return
        if bounded_enum:
            kind: ParamType = "string" if param.type == "array" else param.type
            bare = param._replace(type=kind, enum=None, wording=None)
            one = compile_value(bare)
            for value in param.enum or ():
                self.check_sample(bare, one, (*path, "enum"), value, f"the enum's {value!r}")
        for way, value, what in samples:
            self.check_sample(param, validator, (*path, *way), value, what)

    def check_sample(
        self, param: Param, validator: SchemaValidator, path: Path_, value: Any, what: str
    ) -> None:
        try:
            validator.validate_python(value)
        except ValidationError as exc:
            words = explain_value(param, exc)
            self.report(codes.BAD_PARAM, path, f"{param.name}: {what} is wrong: {words}")

    def check_fixed(self) -> None:
        params = self.data.get("params", {})
        for name, value in self.data.get("fixed", {}).items():
            path = ("fixed", name)
            if name not in params:
                advice = did_you_mean(name, params)
                self.report(
                    codes.BAD_REFERENCE, path, f"there is no parameter {name!r}", advice, key=True
                )
            elif not self.problems:
                param = make_param(name, params[name])
                self.check_sample(param, compile_value(param), path, value, "the fixed value")

    def check_protect(self) -> None:
        protect = self.data["prompt"]["protect"]
        if not isinstance(protect, dict):
            return
        for name in protect:
            if name not in self.data["images"]:
                advice = did_you_mean(name, self.data["images"])
                path = ("prompt", "protect", name)
                message = f"there is no image {name!r}"
                self.report(codes.BAD_REFERENCE, path, message, advice, key=True)

    def check_prove(self) -> None:
        for key in ("region", "protect"):
            where = self.data.get("prove", {}).get(key)
            path = ("prove", key)
            if isinstance(where, str) and where not in self.data["images"]:
                advice = did_you_mean(where, self.data["images"])
                self.report(codes.BAD_REFERENCE, path, f"there is no image {where!r}", advice)
            elif isinstance(where, list):
                self.check_boxes(path, where)

    def check_boxes(self, path: Path_, where: list[Any]) -> None:
        """One box of four numbers, or boxes only, each with some area."""
        lists = [isinstance(item, list) for item in where]
        if any(lists) and not all(lists):
            message = f"{path[-1]} mixes numbers and boxes"
            self.report(codes.WRONG_VALUE, path, message, "write each box in brackets")
            return
        boxes = (
            [((*path, n), box) for n, box in enumerate(where)] if all(lists) else [(path, where)]
        )
        for place, box in boxes:
            if len(box) != 4:
                message = f"a box has four numbers, found {len(box)}"
                self.report(codes.WRONG_VALUE, place, message, "left, top, right, bottom")
            elif box[0] >= box[2] or box[1] >= box[3]:
                message = f"the box {box} covers nothing"
                advice = "left, top, right, bottom, as in [0, 0, 0.5, 1] for the left half"
                self.report(codes.WRONG_VALUE, place, message, advice)

    def check_examples(self) -> None:
        seen: set[str] = set()
        params, fixed = self.data.get("params", {}), self.data.get("fixed", {})
        known = [*self.data["images"], *(p for p in params if p not in fixed), *CALL_OPTIONS[:-1]]
        for index, example in enumerate(self.data.get("examples", ())):
            path = ("examples", index)
            if example["name"] in seen:
                message = f"two examples are named {example['name']!r}"
                self.report(codes.BAD_EXAMPLE, (*path, "name"), message)
            seen.add(example["name"])
            for name in example["inputs"]:
                if name not in known:
                    advice = did_you_mean(name, known)
                    message = f"the recipe has no input {name!r}"
                    self.report(
                        codes.BAD_EXAMPLE, (*path, "inputs", name), message, advice, key=True
                    )


def _samples(param: Param) -> list[tuple[tuple[str | int, ...], Any, str]]:
    """The values that a declaration gives itself, but those that its enum has anyway."""
    samples: list[tuple[tuple[str | int, ...], Any, str]] = []
    empty = param.default is None or (
        param.default == "" and param.type == "string" and param.enum is None
    )
    if param.has_default and not empty:
        samples.append((("default",), param.default, "the default"))
    for index, example in enumerate(param.examples):
        samples.append((("examples", index), example, "an example"))
    if param.enum is None:
        return samples
    known = {(type(value), value) for value in param.enum}
    return [
        item
        for item in samples
        if isinstance(item[1], (list, dict)) or (type(item[1]), item[1]) not in known
    ]


def _is_line(text: str) -> bool:
    try:
        return bool(text) and fold(text) == text
    except PydanticCustomError:
        return False


def explain_value(param: Param, exc: ValidationError) -> str:
    """What is wrong with a value, in words."""
    error = exc.errors(include_url=False)[0]
    context: dict[str, Any] = dict(error.get("ctx", {}))
    return explain_error(param, error["type"], context, error["input"])


def explain_error(param: Param, kind: str, context: dict[str, Any], value: Any) -> str:
    """`expected a whole number, found 'many'`, with the means to mend it where there is one."""
    if kind == "not_in_enum":
        near = did_you_mean(value, _listed(context)) if isinstance(value, str) else None
        hint = f"; {near}" if near else ""
        return f"expected one of {context['allowed']}, found {findings.found(value)}{hint}"
    if kind == "control_character":
        where = f"{context['character']} at position {context['position']}"
        return f"expected text without control characters, found {where}"
    if kind == "quote_in_lettering":
        return f"expected lettering without double quotes, found {findings.found(value)}"
    if kind == "not_a_color":
        near = did_you_mean(str(value), _color_names())
        hint = f"; {near}" if near else ""
        found = findings.found(value)
        return f"expected a CSS colour name or #rrggbb, found {found}{hint}"
    wanted = findings.expected(kind, context) or "another value"
    if kind in ("string_too_long", "string_too_short", "too_long", "too_short"):
        return f"expected {wanted}, found {len(value)}"
    return f"expected {wanted}, found {findings.found(value)}"


def _listed(context: dict[str, Any]) -> list[str]:
    return str(context["allowed"]).split(", ")


def _color_names() -> frozenset[str]:
    from nanorecipes.recipe.colors import CSS_COLORS

    return CSS_COLORS


def check_meaning(document: Document, data: dict[str, Any]) -> list[Diagnostic]:
    """Hold a well-formed recipe against the rules that span several values."""
    return _Checker(document, data).run()

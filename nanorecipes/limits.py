"""A model's limits, held against what is about to be sent: every violation, each with a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nanorecipes import codes
from nanorecipes.catalogue import catalogue
from nanorecipes.diagnostics import Diagnostic
from nanorecipes.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nanorecipes.catalogue import Model
    from nanorecipes.codes import Code


def _finding(code: Code, field: str, message: str, help: str | None = None) -> Diagnostic:
    return Diagnostic(code.code, code.name, "error", message, help=help, field=field)


def unknown_model(name: str) -> Diagnostic:
    """The finding for a model that nothing is known by."""
    known = [*catalogue().models, *catalogue().by_id]
    advice = did_you_mean(name, known) or f"there are {', '.join(known)}"
    return _finding(codes.LIMIT_MODEL, "model", f"there is no model {name!r}", advice)


def check_limits(
    model: Model,
    options: Mapping[str, Any],
    *,
    prompt_chars: int,
    sources: int,
    references: int,
) -> list[Diagnostic]:
    """Every limit that a request would break.

    Args:
        model: the model that is asked.
        options: quality, aspect_ratio, num_images, search as far as they are set.
        prompt_chars: length of the rendered prompt.
        sources: how many source images are attached.
        references: how many reference images are attached.
    """
    found = check_counts(prompt_chars=prompt_chars, sources=sources, references=references)
    return found + check_options(model, options)


def check_counts(*, prompt_chars: int, sources: int, references: int) -> list[Diagnostic]:
    """The limits that hold for every model; lengths in characters."""
    limits = catalogue().limits
    found = []
    if prompt_chars > limits.prompt_chars:
        found.append(_too_long(prompt_chars, limits.prompt_chars))
    if not limits.min_sources <= sources <= limits.max_sources:
        message = (
            f"{sources} source images, allowed are {limits.min_sources} to {limits.max_sources}"
        )
        found.append(_finding(codes.LIMIT_IMAGES, "images", message))
    if references > limits.max_references:
        message = f"{references} reference images, allowed are at most {limits.max_references}"
        found.append(_finding(codes.LIMIT_IMAGES, "images", message))
    return found


def check_options(model: Model, options: Mapping[str, Any]) -> list[Diagnostic]:
    """Every setting that a model does not offer."""
    found = []
    most = catalogue().limits.max_num_images
    count = options.get("num_images")
    if count is not None and not 1 <= count <= most:
        message = f"num_images is {count}, allowed are 1 to {most}"
        advice = "make several requests" if count > most else None
        found.append(_finding(codes.LIMIT_COUNT, "num_images", message, advice))
    if not model.known:
        return found
    quality = options.get("quality")
    if quality is not None and quality not in model.qualities:
        found.append(_quality(model, quality))
    ratio = options.get("aspect_ratio")
    if ratio is not None and ratio != "match" and ratio not in model.ratios:
        found.append(_ratio(model, ratio))
    if options.get("search") and not model.search:
        others = [other.alias for other in catalogue().models.values() if other.search]
        message = f"{model.alias} can't look facts up (search)"
        advice = f"{' and '.join(others)} can: model={others[0]}" if others else None
        found.append(_finding(codes.LIMIT_SEARCH, "search", message, advice))
    return found


def _too_long(found: int, allowed: int) -> Diagnostic:
    message = f"the prompt has {found} characters, allowed are {allowed}"
    advice = f"shorten the inputs or the notes by {found - allowed} characters"
    return _finding(codes.LIMIT_PROMPT, "prompt", message, advice)


def _quality(model: Model, quality: str) -> Diagnostic:
    message = f"quality {quality!r} is not offered by {model.alias}: {', '.join(model.qualities)}"
    offering = catalogue().offering(quality=quality)
    if offering:
        advice = f"{quality} is offered by {' and '.join(offering)}"
    else:
        advice = did_you_mean(quality, model.qualities) or f"for example {model.qualities[-1]}"
    return _finding(codes.LIMIT_QUALITY, "quality", message, advice)


def _ratio(model: Model, ratio: str) -> Diagnostic:
    message = f"aspect ratio {ratio!r} is not offered by {model.alias}: {', '.join(model.ratios)}"
    offering = catalogue().offering(ratio=ratio)
    if offering:
        advice: str | None = f"{ratio} is offered by {' and '.join(offering)}"
    else:
        advice = _nearest(model, ratio) or did_you_mean(ratio, model.ratios)
    return _finding(codes.LIMIT_RATIO, "aspect_ratio", message, advice)


def _nearest(model: Model, ratio: str) -> str | None:
    width, colon, height = ratio.partition(":")
    if not (colon and width.isdigit() and height.isdigit() and int(width) and int(height)):
        return "a ratio is written like 16:9; match takes the first image's"
    return f"the nearest is {model.nearest_ratio(int(width), int(height))}"

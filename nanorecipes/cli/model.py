"""The command about models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nanorecipes.cli import view
from nanorecipes.cli.options import common

if TYPE_CHECKING:
    from nanorecipes.catalogue import Model


@click.command("models")
@click.option("--refresh", is_flag=True, help="Ask the service what it offers today (free).")
@click.option("--sandbox", is_flag=True, help="With --refresh, ask the embedded sandbox.")
@common
def models_command(refresh: bool, sandbox: bool, as_json: bool, quiet: bool) -> None:
    """Show the models: what for, their ratios, sizes, limits and prices, and as of when."""
    from nanorecipes.catalogue import catalogue

    known = catalogue()
    offered = _ask(sandbox) if refresh else None
    if as_json:
        view.print_json({
            "date": known.date,
            "limits": known.limits._asdict(),
            "models": [_json(model) for model in known.models.values()],
            **({"offered": offered} if offered is not None else {}),
        })  # fmt: skip
        return
    for model in known.models.values():
        _print(model)
    limits = known.limits
    click.echo(view.heading("One request"))
    click.echo(view.wrap(
        f"at most {limits.prompt_chars} characters of prompt, {limits.min_sources} to "
        f"{limits.max_sources} source images, {limits.max_references} reference images, "
        f"{limits.max_num_images} pictures"
    ))  # fmt: skip
    click.echo(view.dim(f"  facts of {known.date}"))
    if offered is not None:
        click.echo(f"\n{view.heading('Offered today')}")
        click.echo(view.table([_offer_row(item) for item in offered]) or "  nothing")


def _ask(sandbox: bool) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from nanorecipes.client import Client

    with Client(backend="sandbox" if sandbox else None) as client:
        return [asdict(model) for model in client.models()]


def _offer_row(item: dict[str, Any]) -> tuple[str, str]:
    prices = item.get("prices_usd") or {}
    return str(item["id"]), ", ".join(f"{tier} ${usd}" for tier, usd in prices.items())


def _json(model: Model) -> dict[str, Any]:
    return {
        "alias": model.alias,
        "id": model.id,
        "google_id": model.google_id,
        "title": model.title,
        "use": model.use,
        "aspect_ratios": list(model.ratios),
        "qualities": list(model.qualities),
        "default_quality": model.default_quality,
        "search": model.search,
        "people": model.people,
        "prices": {
            tier: {"usd": price.usd, "basis": price.basis, "exact": price.exact}
            for tier, price in (model.prices or {}).items()
        },
        "google_prices": {
            tier: price.usd for tier, price in (model.google_prices or {}).items()
        },
        "sizes": {
            ratio: {tier: list(size) for tier in model.qualities
                    if (size := model.size_px(ratio, tier)) is not None}
            for ratio in model.ratios
        },
    }  # fmt: skip


def _print(model: Model) -> None:
    click.echo(f"{view.heading(model.alias)}  {model.title}  {view.dim(model.id)}")
    click.echo(view.wrap(f"for {model.use}"))
    rows = [("ratios", " ".join(model.ratios))]
    for tier, price in (model.prices or {}).items():
        size = model.size_px("1:1", tier)
        pixels = f"{size[0]}x{size[1]} at 1:1" if size else ""
        rows.append((tier, f"${price.usd}  {pixels}  {price.basis}"))
    direct = (f"{tier} ${price.usd}" for tier, price in (model.google_prices or {}).items())
    rows.append(("gemini", f"{model.google_id} at Google directly: {', '.join(direct)}"))
    rows.append(("search", "yes" if model.search else "no"))
    rows.append(("people", f"at most {model.people} stay themselves in one picture"))
    click.echo(view.table(rows) + "\n")

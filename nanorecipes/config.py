"""Settings: what `configure` was given, else the environment, else the nearest pyproject.toml."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, cast, get_args
from urllib.parse import urlsplit

from nanorecipes.errors import ConfigurationError
from nanorecipes.service.secret import NoSecret, Secret
from nanorecipes.suggest import did_you_mean

Backend: TypeAlias = Literal["qolaba", "gemini", "sandbox"]
Mode: TypeAlias = Literal["task", "sync"]
Detail: TypeAlias = Literal["full", "minimal", "none"]
"""How much a saved picture tells: all, all but inputs and prompt, or nothing and no sidecar."""

BACKENDS: tuple[str, ...] = get_args(Backend)
QOLABA_HOST = "https://api.platform.qolaba.ai"
GEMINI_HOST = "https://generativelanguage.googleapis.com"
SANDBOX_HOST = "http://sandbox.invalid"
SANDBOX_KEY = "sandbox"
DEFAULT_TIMEOUT_S = 600.0

QOLABA_KEY = "QOLABA_API_KEY"
GEMINI_KEY = "GEMINI_API_KEY"

_VARIABLES = {
    "backend": "NANORECIPES_BACKEND",
    "qolaba_base_url": "QOLABA_BASE_URL",
    "gemini_base_url": "GEMINI_BASE_URL",
    "path": "NANORECIPES_PATH",
    "uploads": "NANORECIPES_UPLOADS",
    "ledger": "NANORECIPES_LEDGER",
    "provenance": "NANORECIPES_PROVENANCE",
    "sandbox_answers": "NANORECIPES_SANDBOX_ANSWERS",
}
_SERVICES = {
    "qolaba": (QOLABA_KEY, "qolaba_base_url", QOLABA_HOST),
    "gemini": (GEMINI_KEY, "gemini_base_url", GEMINI_HOST),
}
"""For each service its key's variable, the setting of its address, and the usual one."""
_FILE_KEYS = {**{key: key for key in _VARIABLES}, "base_url": "qolaba_base_url"} | {
    variable.lower(): key for key, variable in _VARIABLES.items()
}


class Connection(NamedTuple):
    """Where requests go and with which key; made and checked before a client exists."""

    backend: Backend
    base_url: str
    secret: Secret
    key_name: str
    """Where the key came from, for messages that tell to check it."""


class _Given(NamedTuple):
    """What `configure` was called with."""

    backend: str | None = None
    api_key: Secret | None = None
    base_url: str | None = None
    timeout_s: float | None = None
    mode: Mode | None = None
    path: tuple[Path, ...] | None = None
    uploads: str | None = None
    provenance: Detail | None = None
    observer: Callable[[Any], Any] | None = None


_given = _Given()
_listeners: list[Callable[[], None]] = []


def configure(
    *,
    backend: Backend | None = None,
    api_key: str | None = None,
    base_url: str | None = None,
    timeout_s: float | None = None,
    mode: Mode | None = None,
    path: str | os.PathLike[str] | list[str | os.PathLike[str]] | None = None,
    uploads: str | None = None,
    provenance: Detail | None = None,
    observer: Callable[[Any], Any] | None = None,
) -> None:
    """Set what the default client and library use; what is left out comes from the environment.

    Each call replaces the one before; `configure()` forgets them all.

    Args:
        backend: `qolaba`, `gemini` or `sandbox`.
        api_key: the key of that backend.
        base_url: scheme and host of the service, without `/api/v1`.
        timeout_s: the longest wait for one result, in seconds.
        mode: `task` polls for the result, `sync` waits in one request.
        path: folders with recipes, searched before the built-in ones.
        uploads: where local pictures are put so that the service can see them.
        provenance: what saved pictures tell: `full`, `minimal` (no inputs, no prompt) or `none`.
        observer: called with a `Note` at each step.

    Raises:
        ConfigurationError: a value can't be used.
    """
    global _given
    _given = _Given(
        backend=None if backend is None else check_backend(backend, "backend"),
        api_key=None if api_key is None else check_key(api_key, "api_key"),
        base_url=None if base_url is None else check_base_url(base_url, "base_url"),
        timeout_s=None if timeout_s is None else check_timeout(timeout_s),
        mode=None if mode is None else check_mode(mode),
        path=None if path is None else _folders(path),
        uploads=uploads,
        provenance=None if provenance is None else check_detail(provenance, "provenance"),
        observer=observer,
    )
    for listener in _listeners:
        listener()


def on_change(listener: Callable[[], None]) -> None:
    """Call this whenever `configure` has changed something."""
    _listeners.append(listener)


def given() -> _Given:
    """What `configure` was called with."""
    return _given


def connection(
    backend: str | None = None,
    api_key: str | None = None,
    base_url: str | None = None,
    *,
    needs_key: bool = True,
) -> Connection:
    """Decide where requests go: arguments, then `configure`, then environment and pyproject.toml.

    Args:
        backend: its name.
        api_key: its key.
        base_url: its address.
        needs_key: False where perhaps nothing is sent: a missing key is an error only then.

    Raises:
        ConfigurationError: nothing is chosen, or a key is missing.
    """
    own = given()
    chosen = check_backend(backend, "backend") if backend is not None else own.backend
    has_key = api_key is not None or own.api_key is not None
    name = chosen or _setting("backend") or ("qolaba" if has_key else _by_key())
    variable = _SERVICES[name if name in _SERVICES else "qolaba"][0]
    key = check_key(api_key, "api_key", variable) if api_key is not None else None
    url = check_base_url(base_url, "base_url") if base_url is not None else None
    if (own.backend or "qolaba") == name:  # never one backend's key or address for another
        key, url = key or own.api_key, url or own.base_url
    if name == "sandbox":
        # The emulator never gets a real service's key or address from the environment.
        return Connection("sandbox", url or SANDBOX_HOST, key or Secret(SANDBOX_KEY), "api_key")
    _, setting, usual = _SERVICES[name]
    key_name = "api_key" if key is not None else variable
    host = url or _setting(setting) or usual
    secret = key or _environment_key(variable, needs_key)
    return Connection(cast("Backend", name), host, secret, key_name)


def likely_backend(backend: str | None = None) -> str:
    """Where requests would go; `qolaba` where nothing is chosen and no key is set."""
    own = given()
    has_google_key_alone = (
        own.api_key is None
        and not os.environ.get(QOLABA_KEY, "").strip()
        and bool(os.environ.get(GEMINI_KEY, "").strip())
    )
    chosen = backend or own.backend or _setting("backend")
    return chosen or ("gemini" if has_google_key_alone else "qolaba")


def service_url(backend: str = "qolaba") -> str:
    """Scheme and host of a service as it is set; no key is needed to know it."""
    _, setting, usual = _SERVICES[backend]
    given_url = _given.base_url if (_given.backend or "qolaba") == backend else None
    return given_url or _setting(setting) or usual


def search_path() -> tuple[Path, ...]:
    """Folders with recipes, in the order searched; the built-in ones are not among them."""
    if _given.path is not None:
        return _given.path
    text = os.environ.get(_VARIABLES["path"], "")
    if text.strip():
        return tuple(Path(part).expanduser() for part in text.split(os.pathsep) if part.strip())
    found = _file_settings()
    return cast("tuple[Path, ...]", found.get("path", ()))


def uploads() -> str | None:
    """Where local pictures are to be put, or None."""
    return _given.uploads or _setting("uploads")


def ledger() -> str | None:
    """Where the ledger lies, `off` for none, or None for the project's own."""
    return _setting("ledger")


def sandbox_answers() -> str | None:
    """The folder of pictures that the embedded sandbox answers with, or None."""
    return _setting("sandbox_answers")


def provenance() -> Detail:
    """What saved pictures tell, where a call doesn't say it."""
    return _given.provenance or cast("Detail | None", _setting("provenance")) or "full"


def check_detail(value: Any, where: str) -> Detail:
    """How much saved pictures tell, or an error."""
    if value not in get_args(Detail):
        names = ", ".join(get_args(Detail))
        raise ConfigurationError(f"{where} is {value!r}, expected one of {names}")
    return cast("Detail", value)


def check_backend(value: Any, where: str) -> Backend:
    """A backend's name, or an error that names them all."""
    if value in BACKENDS:
        return cast("Backend", value)
    near = did_you_mean(value, BACKENDS) if isinstance(value, str) else None
    raise ConfigurationError(
        f"{where} is {value!r}, expected one of {', '.join(BACKENDS)}"
        + (f"; {near}" if near else "")
    )


def check_mode(value: Any) -> Mode:
    """How results are waited for, or an error."""
    if value not in get_args(Mode):
        raise ConfigurationError(f"mode is {value!r}, expected 'task' or 'sync'")
    return cast("Mode", value)


def check_timeout(value: Any) -> float:
    """Seconds to wait at most, or an error."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value <= 0:
        raise ConfigurationError(f"timeout_s is {value!r}, expected seconds above 0, such as 600")
    return float(value)


def check_key(value: Any, where: str, variable: str = QOLABA_KEY) -> Secret:
    """Wrap a key; it must fit into a header, and an error about it doesn't show it."""
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise ConfigurationError(f"the key in {where} is empty", help=_way_out(variable))
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigurationError(
            f"the key in {where} holds spaces, line breaks or other characters that no key has",
            help="copy it again, without quotes or what stands around it",
        )
    return Secret(text)


def check_base_url(value: Any, where: str) -> str:
    """Scheme and host, perhaps with a prefix; `/api/v1` or `/v1beta` at the end is taken off."""
    text = value.strip().rstrip("/") if isinstance(value, str) else ""
    text = text.removesuffix("/api/v1").removesuffix("/v1beta")
    try:
        parts = urlsplit(text)
        is_fit = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_fit = False
    if not is_fit or not text.isprintable() or any(char in text for char in "@?# \\"):
        raise ConfigurationError(
            f"{where} is not the address of a service, expected scheme and host "
            f"such as {QOLABA_HOST}",
            help="leave out user names, queries and /api/v1",
        )
    return text


def _by_key() -> str:
    if os.environ.get(QOLABA_KEY, "").strip():
        return "qolaba"
    if os.environ.get(GEMINI_KEY, "").strip():
        return "gemini"
    raise ConfigurationError(
        f"no backend is chosen: neither {QOLABA_KEY} nor {GEMINI_KEY} is set",
        help=_way_out(f"{QOLABA_KEY} or {GEMINI_KEY}"),
    )


def _environment_key(variable: str, needs_key: bool) -> Secret:
    if not os.environ.get(variable, "").strip():
        missing = ConfigurationError(f"{variable} is not set", help=_way_out(variable))
        if needs_key:
            raise missing
        return NoSecret(missing)
    return check_key(os.environ[variable], variable)


def _way_out(variable: str) -> str:
    return (
        f"set {variable}, or try without a key: "
        f"backend='sandbox', --sandbox or {_VARIABLES['backend']}=sandbox"
    )


def _setting(key: str) -> str | None:
    """A setting by the environment, else by pyproject.toml, checked."""
    text = os.environ.get(_VARIABLES[key], "").strip()
    if text:
        return _checked(key, text, _VARIABLES[key])
    return cast("str | None", _file_settings().get(key))


def _checked(key: str, value: Any, where: str) -> str:
    if key == "backend":
        return check_backend(value, where)
    if key in ("qolaba_base_url", "gemini_base_url"):
        return check_base_url(value, where)
    if key == "provenance":
        return check_detail(value, where)
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{where} is {value!r}, expected a text")
    return value


def _file_settings() -> Mapping[str, Any]:
    file = _nearest_file()
    return _read(file, file.stat().st_mtime_ns) if file is not None else {}


def _nearest_file() -> Path | None:
    try:
        here = Path.cwd()
    except OSError:  # the folder was deleted under us
        return None
    found = (folder / "pyproject.toml" for folder in (here, *here.parents))
    return next((file for file in found if file.is_file()), None)


@lru_cache(maxsize=8)
def _read(file: Path, changed_ns: int) -> Mapping[str, Any]:
    """`[tool.nanorecipes]` of a file; read again when the file has changed."""
    import tomllib  # only where there is such a file: every start would pay for it

    try:
        text = file.read_text(encoding="utf-8")
        # Most such files say nothing of us, and whether they are sound is not our business.
        data = tomllib.loads(text) if "nanorecipes" in text else {}
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"{file} can't be read: {exc}") from exc
    tool = data.get("tool")
    table = tool.get("nanorecipes", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigurationError(f"{file}: [tool.nanorecipes] is {table!r}, expected a table")
    settings: dict[str, Any] = {}
    for name, value in table.items():
        # Tables below are other parts' own.
        if not isinstance(value, dict):
            key = _file_key(name, file)
            settings[key] = _from_file(key, value, f"{file}: {name}", file.parent)
    return settings


def _file_key(name: str, file: Path) -> str:
    plain = name.replace("-", "_").lower()
    if plain in _FILE_KEYS:
        return _FILE_KEYS[plain]
    if plain.endswith("key"):
        raise ConfigurationError(
            f"{file}: [tool.nanorecipes] holds {name!r}; a key doesn't belong in a file that is "
            "shared",
            help=f"set {QOLABA_KEY} in the environment, and make the exposed key invalid",
        )
    near = did_you_mean(plain, _VARIABLES)
    raise ConfigurationError(
        f"{file}: [tool.nanorecipes] has no setting {name!r}, expected one of "
        f"{', '.join(_VARIABLES)}" + (f"; {near}" if near else "")
    )


def _from_file(key: str, value: Any, where: str, folder: Path) -> Any:
    if key != "path":
        return _checked(key, value, where)
    items = value if isinstance(value, list) else str(value).split(os.pathsep)
    if not all(isinstance(item, str) and item.strip() for item in items):
        raise ConfigurationError(f"{where} is {value!r}, expected folders as texts")
    return tuple(folder / Path(item).expanduser() for item in items)


def _folders(path: str | os.PathLike[str] | list[str | os.PathLike[str]]) -> tuple[Path, ...]:
    if isinstance(path, str):
        return tuple(Path(part).expanduser() for part in path.split(os.pathsep) if part)
    items = [path] if isinstance(path, os.PathLike) else path
    return tuple(Path(item).expanduser() for item in items)

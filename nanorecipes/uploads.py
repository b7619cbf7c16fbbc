"""Local pictures put where a service that takes URLs can see them, each content once.

The store is reached by obstore, with the credentials of the ordinary environment. No message shows
what the store said: such texts hold key ids and signatures.
"""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nanorecipes import config, files
from nanorecipes.errors import ConfigurationError, MissingExtraError, ServiceError
from nanorecipes.fit import fit_once
from nanorecipes.images import BadImageError
from nanorecipes.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable

    from nanorecipes.images import ImageInput

SETTING = "NANORECIPES_UPLOADS"
SCHEMES = ("s3", "gs", "az")
VALID_FOR = timedelta(hours=6)
"""A task may run for 4 hours, and the service may look at its source late."""
MAX_VALID_FOR = timedelta(days=7)
"""What S3 and Google Cloud Storage sign at most."""
KEPT_KEYS = 16_384

_LOCKS = 32
_CODE = re.compile(r"<Code>([A-Za-z]{3,60})</Code>")
_STATUS = re.compile(r"status code: ([1-5][0-9]{2})")
_RETRY = {"max_retries": 3, "retry_timeout": timedelta(seconds=60)}
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}


class Uploader:
    """Puts pictures under the digest of their bytes, and signs URLs to fetch them.

    One uploader serves any number of threads.
    """

    def __init__(self, place: str, *, valid_for: timedelta = VALID_FOR) -> None:
        """Check where pictures go; nothing is sent, and no credentials are read, before the first.

        Args:
            place: `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`.
            valid_for: how long a URL works; at most 7 days.

        Raises:
            ConfigurationError: the place or the time can't be used.
        """
        self.place = check_place(place)
        if not timedelta(0) < valid_for <= MAX_VALID_FOR:
            raise ConfigurationError(
                f"upload URLs can't be valid for {valid_for}, expected at most 7 days"
            )
        self._valid_for = valid_for
        self._scheme = self.place.partition(":")[0]
        self._stored: Recent[str, str] = Recent(KEPT_KEYS)
        self._locks = [threading.Lock() for _ in range(_LOCKS)]
        self._store_lock = threading.Lock()
        self._store: Any = None

    @classmethod
    def from_settings(cls, *, valid_for: timedelta = VALID_FOR) -> Uploader | None:
        """The uploader that `NANORECIPES_UPLOADS` or `configure(uploads=...)` asks for.

        Raises:
            ConfigurationError: the setting can't be used.
        """
        place = config.uploads()
        return None if place is None else cls(place, valid_for=valid_for)

    def __repr__(self) -> str:
        return f"Uploader({self.place!r})"

    def url_for(self, image: ImageInput) -> str:
        """A URL under which the picture can be fetched from now on; it is uploaded when new.

        A URL is given back as it is. The picture is made fit to send first.

        Raises:
            BadImageError: it can't be read or made fit to send.
            ConfigurationError: the bucket, the rights or the credentials are missing.
            ServiceError: the store failed.
            MissingExtraError: obstore is not installed.
        """
        if image.kind == "url":
            return image.name
        try:
            return self.url_of(fit_once(image.read()).data)
        except BadImageError as exc:
            raise _named(image, exc) from exc

    async def url_for_async(self, image: ImageInput) -> str:
        """The same as `url_for` on an event loop, which isn't held up."""
        import asyncio

        return await asyncio.to_thread(self.url_for, image)

    def url_of(self, data: bytes) -> str:
        """The same as `url_for` for bytes that are fit to send already."""
        digest = files.sha256(data)
        with self._locks[int(digest[:8], 16) % _LOCKS]:
            key = self._stored.get(digest)
            if key is None:
                key = self._put(digest, data)
                self._stored.put(digest, key)
        return str(
            self._do(lambda obstore, store: obstore.sign(store, "GET", key, self._valid_for))
        )

    def _put(self, digest: str, data: bytes) -> str:
        kind = files.image_type(data)
        if kind is None:
            raise BadImageError(f"{len(data)} bytes that are no picture of a known type")
        key = f"{digest}{files.EXTENSIONS[kind]}"
        if self._do(lambda obstore, store: _size(obstore, store, key)) != len(data):
            about = {"Content-Type": kind}
            # In one request: a part of a picture must never lie under its digest.
            self._do(
                lambda obstore, store: obstore.put(
                    store, key, data, attributes=about, use_multipart=False
                )
            )
        return key

    def _do(self, work: Callable[[Any, Any], Any]) -> Any:
        """Work with the store; what it complains about is told without its words."""
        try:
            import obstore
            import obstore.exceptions
            import obstore.store
        except ImportError as exc:
            raise MissingExtraError("uploading pictures", "uploads") from exc
        errors: Any = (obstore.exceptions.BaseError, OSError, ValueError)
        try:
            with self._store_lock:
                if self._store is None:
                    self._store = self._open(obstore)
            return work(obstore, self._store)
        except errors as exc:
            # Without its cause, whose text a traceback would show.
            raise self._error(exc) from None

    def _open(self, obstore: Any) -> Any:
        from nanorecipes.service.door import Door

        endpoint = _endpoint(self._scheme)
        is_here = _is_loopback(endpoint)
        if not Door().is_open and not is_here:
            raise ConfigurationError(
                f"the network is switched off, and {self.place} is not this machine"
            )
        options = {"timeout": "120s", "connect_timeout": "10s"}
        if is_here:  # elsewhere plain HTTP takes AWS_ALLOW_HTTP, which obstore reads itself
            options["allow_http"] = True  # type: ignore[assignment]  # obstore's own word for it
        return obstore.store.from_url(self.place, client_options=options, retry_config=_RETRY)

    def _error(self, exc: BaseException) -> ConfigurationError | ServiceError:
        text = str(exc)
        found = _CODE.search(text) or _STATUS.search(text)
        said = f" ({found[1]})" if found else ""
        is_denied = type(exc).__name__ in ("PermissionDeniedError", "UnauthenticatedError")
        if isinstance(exc, (PermissionError, FileNotFoundError)) or is_denied:
            what = "is not there" if isinstance(exc, FileNotFoundError) else "refused the access"
            return ConfigurationError(
                f"the upload place {self.place} {what}{said}; nothing was sent to the service",
                help=f"check {SETTING}, and {_CREDENTIALS[self._scheme]}",
            )
        words = text.lower()
        if "credential" in words or "token request" in words or "account must" in words:
            return ConfigurationError(
                f"no credentials for the upload place {self.place}; nothing was sent",
                help=f"set {_CREDENTIALS[self._scheme]}",
            )
        return ServiceError(
            f"the upload to {self.place} failed{said}; nothing was sent to the service",
            help=f"try again; if it stays so, check {_CREDENTIALS[self._scheme]} and the endpoint",
        )


def check_place(place: str) -> str:
    """The place without a slash at its end.

    Raises:
        ConfigurationError: it is no `s3://`, `gs://` or `az://` address of a bucket; what was
            given isn't shown, since it might hold a password.
    """
    text = place.strip().rstrip("/")
    example = "expected s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ConfigurationError(f"{SETTING} is no address; {example}") from None
    is_fit = (
        parts.scheme in SCHEMES
        and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", parts.netloc) is not None
        and text.isprintable()
        and not any(mark in text for mark in "?#@\\ ")
        and not any(part in (".", "..", "") for part in parts.path.split("/")[1:])
    )
    if not is_fit:
        raise ConfigurationError(f"{SETTING} can't be used; {example}")
    return text


def _size(obstore: Any, store: Any, key: str) -> int | None:
    """The size of what lies there, or None."""
    try:
        return int(obstore.head(store, key)["size"])
    except FileNotFoundError:
        return None
    except (PermissionError, obstore.exceptions.PermissionDeniedError):
        # S3 says so for an absent object too, where the bucket may not be listed.
        return None


def _endpoint(scheme: str) -> str:
    import os

    names = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT") if scheme == "s3" else ()
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _is_loopback(endpoint: str) -> bool:
    from nanorecipes.service.guard import is_loopback_host

    try:
        return bool(endpoint) and is_loopback_host(urlsplit(endpoint).hostname or "")
    except ValueError:
        return False


def _named(image: ImageInput, exc: BadImageError) -> BadImageError:
    text = str(exc)
    return exc if image.name in text else BadImageError(f"{image.name!r} {text}")


__all__ = ["MAX_VALID_FOR", "VALID_FOR", "Uploader", "check_place"]

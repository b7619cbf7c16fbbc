"""What a download may not do: go to addresses inside, run without end, or unpack into a bomb."""

from __future__ import annotations

import io
import ipaddress
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from nanorecipes import decoding, files
from nanorecipes.service.flow import NoPicture, Picture
from nanorecipes.wholeness import whole_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

# Prefixes that carry an IPv4 address within an IPv6 one; what they carry must be public as well.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """Bounds of one picture's download."""

    max_bytes: int = 64 * 1024 * 1024
    max_pixels: int = 100_000_000
    max_redirects: int = 3
    attempts: int = 3
    connect_s: float = 10.0
    read_s: float = 30.0
    total_s: float = 120.0
    """For one picture over all attempts, in seconds."""
    grace_s: float = 30.0
    """What a finished picture gets at least, though the whole wait is over: it was paid for."""


def refused_url(url: str) -> str | None:
    """Why a URL may not be fetched, or None."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is malformed"
    if parts.scheme.lower() not in ("http", "https"):
        return f"only http and https are fetched, found {parts.scheme or 'no scheme'!r}"
    if not host:
        return "it names no host"
    return "it carries a user name or password" if "@" in parts.netloc else None


def refused_address(
    addresses: Sequence[str], host: str, own_host: str | None, own_is_loopback: bool
) -> str | None:
    """Why a host's addresses may not be connected to, or None.

    Args:
        addresses: everything that the host's name resolves to; one bad address refuses them all.
        host: the host as the URL names it.
        own_host: the host of the service's base URL, which the caller chose to trust.
        own_is_loopback: whether that host is this machine; then all of this machine's loopback
            is allowed, whichever of its names is used.
    """
    if own_host is not None and host.lower() == own_host.lower():
        return None
    for text in addresses:
        address = parse_address(text)
        if address is None:
            return f"{text!r} is no address"
        if address.is_loopback and own_is_loopback:
            continue
        if not is_public(address):
            return f"{host} leads to {address}, which is not a public address"
    return None if addresses else f"{host} has no address"


def is_public(address: Address) -> bool:
    """Whether an address lies outside: not private, loopback, link-local, multicast or reserved."""
    inner = _carried(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_loopback_host(host: str, addresses: Sequence[str] = ()) -> bool:
    """Whether a host is this machine, by its name or by what it resolves to."""
    literal = parse_address(host)
    if literal is not None:
        return literal.is_loopback
    if host.lower().rstrip(".") == "localhost":
        return True
    found = [parse_address(text) for text in addresses]
    return bool(found) and all(address is not None and address.is_loopback for address in found)


def parse_address(text: str) -> Address | None:
    """An address from its text, without a zone; None when it is a name."""
    try:
        return ipaddress.ip_address(text.partition("%")[0].strip("[]"))
    except ValueError:
        return None


def _carried(address: Address) -> Address | None:
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]


def examine(data: bytes, max_pixels: int) -> Picture | NoPicture:
    """Tell a picture's type from its bytes, and make sure that it is whole: half a picture is none.

    The header's pixel count is checked before anything is decoded. One whose decoding takes more
    than `decoding.MAX_BYTES` is looked at by its structure: it must reach to its end.
    """
    return glance(data, max_pixels) or _decode(data, max_pixels)


def glance(data: bytes, max_pixels: int) -> Picture | NoPicture | None:
    """The same as far as it can be told without decoding, which takes long; else None."""
    mime_type = files.image_type(data)
    if mime_type is None:
        return NoPicture(f"{len(data)} bytes that are no picture of a known type")
    size = whole_size(data)
    if size is None:
        return None
    if size[0] * size[1] > max_pixels:
        return _too_many(f"{size[0]}x{size[1]} pixels are more", max_pixels)
    return Picture(mime_type, size)


def _decode(data: bytes, max_pixels: int) -> Picture | NoPicture:
    mime_type = files.image_type(data) or ""
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Pillow warns of many pixels, of which our own bound is checked, and of odd tags.
            warnings.simplefilter("ignore")
            with Pillow.open(io.BytesIO(data)) as image:
                return _examined(image, data, mime_type, max_pixels)
    except UnidentifiedImageError:
        return _unread(mime_type)
    except Pillow.DecompressionBombError:
        return _too_many("it has far more pixels", max_pixels)
    except Exception as exc:  # decoders raise errors of every kind on damaged data
        return NoPicture(f"a damaged or truncated {mime_type} file ({exc})")


def _examined(image: Image, data: bytes, mime_type: str, max_pixels: int) -> Picture | NoPicture:
    width, height = image.size
    if width * height > max_pixels:
        return _too_many(f"{width}x{height} pixels are more", max_pixels)
    if decoding.fits(image):
        image.load()
    elif not decoding.is_whole(data, mime_type):
        return NoPicture(f"a truncated {mime_type} file")
    return Picture(mime_type, (width, height))


def _too_many(found: str, max_pixels: int) -> NoPicture:
    return NoPicture(f"{found} than the {max_pixels} allowed", is_final=True)


def _unread(mime_type: str) -> Picture | NoPicture:
    """A type that Pillow can't decode here is taken by its name; any other must open."""
    if mime_type in ("image/heic", "image/heif", "image/avif"):
        return Picture(mime_type, None)
    return NoPicture(f"a damaged {mime_type} file")

"""One text in an XMP packet: added to a packet of another tool without losing a word, read back."""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

NAMESPACE = "urn:nanorecipes:provenance:1/"
NOTE = "http://ns.adobe.com/xmp/note/"
_PROPERTY = f"{NAMESPACE} making"
_CLOSING = b"</rdf:RDF>"

_HEAD = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
)
_TAIL = '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'

_ABOUT = re.compile(rb"""\srdf:about\s*=\s*(["'])([^"'<>]*)\1""")
# What `_description` writes: our own record of an earlier time, which gives way.
_OURS = re.compile(
    rb'<rdf:Description rdf:about="[^"]*" xmlns:nanorecipes="'
    + re.escape(NAMESPACE.encode())
    + rb'" [^<>]*/>'
)
_ENTITIES = (
    ("&", "&amp;"), (">", "&gt;"), ("<", "&lt;"), ("\n", "&#10;"), ("\r", "&#13;"), ("\t", "&#9;"),
    ('"', "&quot;"),
)  # fmt: skip
# XML has no way to write these, escaped or not; JSON has.
_NOT_XML = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Unfit(ValueError):
    """A packet that can't be added to: UTF-16, no RDF, or an RDF under another prefix."""


def escape_json(text: str) -> str:
    """The same JSON, in characters that XML can hold."""
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def packet(text: str) -> bytes:
    """A packet that holds one text and nothing else."""
    value = f"nanorecipes:making={_quoted(text)}"
    about = f'<rdf:Description rdf:about="" xmlns:nanorecipes="{NAMESPACE}" '
    return f"{_HEAD}{about}{value}/>{_TAIL}".encode()


def merge(existing: bytes, text: str) -> bytes:
    """Another tool's packet with our text added.

    Raises:
        Unfit: the packet has no place for it.
    """
    return _insert(existing, f"nanorecipes:making={_quoted(text)}")


def refer(existing: bytes | None, digest: str) -> bytes:
    """A packet that says that more of it lies in extension segments named by a digest.

    Raises:
        Unfit: the packet has no place for it, or has extensions of its own.
    """
    base = existing if existing is not None else f"{_HEAD}{_TAIL}".encode()
    if b"HasExtendedXMP" in _OURS.sub(b"", base):
        raise Unfit("it has extensions of its own")
    return _insert(base, f'xmlns:xmpNote="{NOTE}" xmpNote:HasExtendedXMP="{digest}"')


def _insert(existing: bytes, attribute: str) -> bytes:
    base = _OURS.sub(b"", existing)
    place = base.rfind(_CLOSING)
    if place < 0:
        raise Unfit("no RDF in it")
    about = _ABOUT.search(base)
    subject = about[2] if about else b""
    head = b'<rdf:Description rdf:about="%b" xmlns:nanorecipes="%b" ' % (
        subject,
        NAMESPACE.encode(),
    )
    return base[:place] + head + attribute.encode() + b"/>" + base[place:]


def _quoted(text: str) -> str:
    for character, name in _ENTITIES:
        if character in text:
            text = text.replace(character, name)
    return f'"{text}"'


def find(data: bytes) -> str | None:
    """Our text in a packet, under whatever prefix and in either of XMP's two ways of writing.

    Broken XML and declared entities, which can grow without bound, make it None.
    """
    reader = _Reader()
    try:
        reader.parse(data)
    except (expat.ExpatError, Unfit, ValueError, LookupError):
        return None
    return reader.text


class _Reader:
    def __init__(self) -> None:
        self.text: str | None = None
        self._parts: list[str] | None = None

    def parse(self, data: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = _refuse
        parser.Parse(data.strip(b"\0 \r\n\t"), True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self.text is None and _PROPERTY in attributes:
            self.text = attributes[_PROPERTY]
        elif self.text is None and name == _PROPERTY:
            self._parts = []

    def _end(self, name: str) -> None:
        if name == _PROPERTY and self._parts is not None:
            self.text = "".join(self._parts)
            self._parts = None

    def _characters(self, text: str) -> None:
        if self._parts is not None:
            self._parts.append(text)


def _refuse(*_: Any) -> None:
    raise Unfit("it declares entities")

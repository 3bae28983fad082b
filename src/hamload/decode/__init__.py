"""Documents in, recordings out, and recordings into clean samples. Pure: no files, no network, no clock, no database.

`decode` understands FIT, GPX and TCX; `clean` makes one run's samples of its streams; `limit_speed` takes out what the
runner's own history calls impossible; `grade` is the slope underfoot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hamload.decode.cleaning import clean, limit_speed
from hamload.decode.fit import decode_fit
from hamload.decode.fit_container import MAGIC
from hamload.decode.gpx import decode_gpx
from hamload.decode.grade import grade
from hamload.decode.tcx import decode_tcx
from hamload.errors import UnreadableError

if TYPE_CHECKING:
    from hamload.records import Recording

__all__ = ["clean", "decode", "grade", "limit_speed", "sniff"]

type Format = Literal["fit", "gpx", "tcx"]
type Content = Literal["fit", "gpx", "tcx", "zip", "gzip", "html", "json", "empty", "unknown"]

_SNIFFED = 4096
_SIGNATURES: tuple[tuple[Content, int, bytes], ...] = (
    ("gzip", 0, b"\x1f\x8b"),
    ("zip", 0, b"PK\x03\x04"),
    ("zip", 0, b"PK\x05\x06"),
    ("fit", 8, MAGIC),
)
_ROOTS: tuple[tuple[Content, tuple[str, ...]], ...] = (
    ("tcx", ("<trainingcenterdatabase", ":trainingcenterdatabase")),
    ("gpx", ("<gpx", ":gpx ")),
    ("html", ("<!doctype html", "<html", "<head", "<body")),
)
_WHAT = {
    "empty": "an empty file",
    "html": "a web page (HTML), most likely an error page,",
    "json": "a JSON answer, most likely an error,",
    "zip": "a zip archive",
    "gzip": "a gzip file",
    "gpx": "a GPX file",
    "tcx": "a TCX file",
    "fit": "a FIT file",
}
_AGAIN = "Download or export the activity again."


def decode(content: bytes, format: Format) -> list[Recording]:  # noqa: A002  # the word that users know
    """Decode a document into its activities, in time order: one for each session, activity or track. Never empty.

    Parameters
    ----------
    content
        The document as it came, unpacked.
    format
        What it is meant to be.

    Raises
    ------
    UnreadableError
        Where it is not an activity, or nothing in it can be read. The sentence says what it is and what helps.

    """
    found = sniff(content)
    if found not in {format, "unknown"}:
        raise UnreadableError(f"This is {_WHAT[found]} saved as .{format}.", _REMEDIES.get(found, _AGAIN))
    if format == "fit":
        return decode_fit(content)
    return decode_gpx(content) if format == "gpx" else decode_tcx(content)


_REMEDIES = {
    "zip": "Import it under its own ending, .zip.",
    "gzip": "Import it under its own ending, .gz.",
    "gpx": "Rename it to .gpx and import it again.",
    "tcx": "Rename it to .tcx and import it again.",
    "fit": "Rename it to .fit and import it again.",
}


def sniff(content: bytes) -> Content:
    """Say what a document is by its content alone, from its first few kilobytes.

    Blanks, byte-order marks and comments may stand before the first tag; FIT may carry a few stray bytes before its
    header.
    """
    if not content.strip(b"\0 \t\r\n"):
        return "empty"
    for kind, place, mark in _SIGNATURES:
        if content[place : place + len(mark)] == mark:
            return kind
    head = content[:_SNIFFED]
    is_wide = head[:2] in {b"\xff\xfe", b"\xfe\xff"}
    text = (head.decode("utf-16", "ignore") if is_wide else head.decode("latin-1")).lower()
    if (markup := _markup(text)) is not None:
        return markup
    if text.lstrip("\ufeffï»¿ \t\r\n")[:1] in {"{", "["}:
        return "json"
    return "fit" if MAGIC in head else "unknown"


def _markup(text: str) -> Content | None:
    if not text.lstrip("\ufeffï»¿ \t\r\n\0").startswith("<") and "<?xml" not in text:
        return None
    found: list[tuple[int, Content]] = [
        (at, kind) for kind, marks in _ROOTS for mark in marks if (at := text.find(mark)) >= 0
    ]
    return min(found)[1] if found else None

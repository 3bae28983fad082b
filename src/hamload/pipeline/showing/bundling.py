"""The script that draws the charts of a page: one text of a megabyte that is the same every night, kept once made."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from hamload.digest.outbox import replace_file

if TYPE_CHECKING:
    from pathlib import Path

#: Of what vl-convert-python 1.9.0 bundles. A text with another hash is used as it was made, and never as it lies on a
#: disk: nothing read from there may say what a browser runs.
SHA256 = "3425bd951a44d478d0505c6b5d1e8d57656b6e9a4da7bfe88a718ce61d76e572"


def bundled(folder: Path) -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script, from `folder` where it is kept there.

    Bundling takes two processor seconds, more than all else of a short night. https://github.com/vega/vl-convert
    """
    kept = folder / f"vega-{SHA256[:12]}.js"
    with suppress(OSError):
        content = kept.read_bytes()
        if _is_known(content):
            return content.decode()
    import vl_convert  # noqa: PLC0415  # large, and only this needs it

    content = str(vl_convert.javascript_bundle()).encode()  # type: ignore[call-arg]  # its stub forgets the default
    if _is_known(content):
        # Where it cannot be kept, the next page takes two seconds more.
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(kept, content)
    return content.decode()


def _is_known(content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == SHA256

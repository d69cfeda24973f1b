"""JSON in files, followed by its checksum in white space: so the file stays JSON."""

from __future__ import annotations

import json
import re

from assay.store.files import DIGEST, DamagedFile, digest

_BITS = str.maketrans("01", " \t")
_CHECKSUM = re.compile(rb"\n([ \t]{%d})\n?\Z" % (8 * DIGEST))


def with_checksum(text: str, name: bytes) -> bytes:
    """Return the content of a file with JSON and this name, of ``name_of``."""
    content = text.encode("utf-8", "backslashreplace")  # file names may be invalid UTF-8
    return content + b"\n" + _in_white_space(digest(name + content)) + b"\n"


def checked_text(content: bytes, name: bytes) -> tuple[str, bool]:
    """Return the JSON of a file with this name without its checksum, and whether it has one."""
    found = _CHECKSUM.search(content)
    if found is not None:
        content = content[: found.start()]
        sums = digest(name + content), digest(content)  # files of earlier commits leave out their name
        if found[1] not in map(_in_white_space, sums):
            raise DamagedFile("it does not match its checksum")
    if not content:
        raise DamagedFile("it is empty")
    text = content.decode()
    if found is None:  # a file of an earlier version, which is checked as far as possible
        if text != text.rstrip():
            raise DamagedFile("its checksum is damaged")
        json.loads(text)
    return text, found is not None


def _in_white_space(checksum: bytes) -> bytes:
    """Return the bits of a checksum as spaces (0) and tabs (1)."""
    return "".join(f"{byte:08b}" for byte in checksum).translate(_BITS).encode()

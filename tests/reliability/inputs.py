"""Hostile input for hypothesis: mutated files, odd texts, and JSON with the keys of a format."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

ODD = (
    "",
    " ",
    "\0",
    "\x1b[2J",
    "\u202e",
    "\ufeff",
    "\ud800",
    "é",
    "模型",
    "𝔸",
    "'",
    '"',
    "`",
    "\\",
    "/",
    "..",
    "../x",
    "\n",
    "\r",
    "\r\n",
    "\t",
    ",",
    ";",
    "|",
    ":",
    "=",
    "(",
    ")",
    "()",
    "[",
    "]",
    "{",
    "}",
    "[[",
    "{{",
    "#",
    "%",
    "-",
    "_",
    "*",
    "?",
    "0",
    "-0",
    "1",
    "-1",
    "1e999",
    "-1e999",
    "1e-999",
    "nan",
    "inf",
    "-inf",
    "0x10",
    "1_0",
    "٣",
    "½",
    "9" * 30,
    "9" * 400,
    "1." * 5,
    "true",
    "null",
    "None",
    "NaN",
    "Infinity",
    "a" * 300,
    "((((",
    "[" * 200,
    "{" * 200,
    "(" * 300,
    "-" * 400,
    "not " * 80,
    "~" * 300,
    "lambda: 0",
    "__import__('os')",
    "b''",
    "1j",
    "...",
    "f''",
)
_ODD_BYTES = (
    b"",
    b"\0",
    b"\xff",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\x80",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\n",
    b"\r",
    b"\x1a",
    b"\xff" * 8,
    b"\x00" * 8,
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b'"',
    b",",
    b"\t",
    b"9" * 40,
    b"-",
    b"\x1f\x8b",
    b"PK\x03\x04",
    b"1e999",
    b"nan",
    b"[" * 300,
    b"{" * 300,
    b"\\",
    b"\\ud800",
    b"\\u0000",
    b"(",
    b"\x1b[2J",
)

odd_texts = st.one_of(st.sampled_from(ODD), st.text(max_size=12))


def pieces(*words: str) -> st.SearchStrategy[str]:
    """Texts that are joined of the words of a format and of odd ones."""
    one = st.one_of(st.sampled_from(words), st.sampled_from(words), odd_texts)
    return st.lists(one, max_size=16).map("".join)


def as_bytes(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """The texts in UTF-8, of which half a pair of UTF-16 is kept as it is."""
    return texts.map(lambda text: text.encode("utf-8", "surrogatepass"))


def mutated(*valid: bytes) -> st.SearchStrategy[bytes]:
    """Files that are valid but for some edits: what stands there is replaced, doubled, cut or swapped."""
    piece = st.one_of(st.sampled_from(_ODD_BYTES), st.binary(max_size=6))
    places = st.floats(0, 1, allow_nan=False)
    kinds = st.sampled_from(("insert", "replace", "delete", "double", "cut", "flip"))
    edits = st.lists(st.tuples(kinds, places, st.integers(1, 40), piece), min_size=1, max_size=5)
    return st.builds(_edited, st.sampled_from(valid), edits)


def json_like(*keys: str, values: tuple[Any, ...] = ()) -> st.SearchStrategy[bytes]:
    """Values of JSON in any nesting, whose objects have the keys of a format."""
    names = st.one_of(st.sampled_from(keys), st.sampled_from(keys), odd_texts)
    numbers = st.one_of(
        st.integers(-2, 12), st.integers(), st.floats(), st.sampled_from((2**63, -(10**400), 1e308))
    )
    leaves = st.one_of(st.none(), st.booleans(), numbers, odd_texts, *(st.just(value) for value in values))
    nested = st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(names, inner, max_size=7)),
        max_leaves=24,
    )
    return nested.map(lambda value: json.dumps(value).encode())


def altered_json(valid: Any) -> st.SearchStrategy[bytes]:
    """A valid document of JSON of which some values are others."""
    others = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 12),
        st.floats(),
        odd_texts,
        st.just([]),
        st.just({}),
        st.just([[]]),
        st.just({"": {}}),
        st.just(10**400),
        st.lists(st.integers(-1, 3), max_size=3),
    )
    edits = st.lists(st.tuples(st.integers(0, 10_000), others), min_size=1, max_size=4)
    return edits.map(lambda some: _altered(valid, some))


def _altered(valid: Any, edits: list[tuple[int, Any]]) -> bytes:
    document = json.loads(json.dumps(valid))
    for number, value in edits:
        places = list(_places(document))
        if not places:
            break
        holder, key = places[number % len(places)]
        if number % 7 == 0:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(value)
    return json.dumps(document).encode()


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)


def _edited(content: bytes, edits: list[tuple[str, float, int, bytes]]) -> bytes:
    for kind, place, length, piece in edits:
        at = int(place * len(content))
        before, there, after = content[:at], content[at : at + length], content[at + length :]
        content = {
            "insert": before + piece + there + after,
            "replace": before + piece + after,
            "delete": before + after,
            "double": before + there + there + after,
            "cut": before,
            "flip": before + bytes(byte ^ 0x55 for byte in there[:1]) + there[1:] + after,
        }[kind]
    return content

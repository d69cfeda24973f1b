"""Text for display: control characters and invisible characters are escaped."""

from __future__ import annotations

import re
import shlex

_UNSEEN = re.compile(  # control characters but tab and line end, marks of direction, other invisible ones
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~#&])")
_SPECIAL = frozenset('"$`\\!')  # between double quotation marks


def shown(text: str) -> str:
    r"""Return a text in which control characters, changes of direction and halves of characters are escaped.

    >>> shown("a\x1b[2Jb"), shown("gpj.\u202eexe"), shown("caf\udce9\n")
    ('a\\x1b[2Jb', 'gpj.\\u202eexe', 'caf\\xe9\n')
    """
    return _UNSEEN.sub(_escaped, text)


def one_line(text: str) -> str:
    r"""Return a text without line ends, so that a name in it cannot begin a line that reads like ours.

    >>> one_line("cat\nRecommended: another")
    'cat Recommended: another'
    """
    return text.replace("\n", " ")


def in_markdown(text: str) -> str:
    r"""Return a text for a line or a cell of Markdown, in which nothing is markup.

    >>> in_markdown("a|b *c*")
    'a\\|b \\*c\\*'
    """
    return _MARKUP.sub(r"\\\1", shown(" ".join(text.split())))


def quoted(word: str) -> str:
    r"""Return a word for a line to paste into a shell, which hands the very word to the command.

    >>> quoted("my photos"), quoted("a\x1b[2J")
    ("'my photos'", "$'a\\x1b[2J'")
    """
    if not _UNSEEN.search(word) and "\n" not in word and "\t" not in word:
        return f'"{word}"' if "'" in word and not _SPECIAL.intersection(word) else shlex.quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
    return f"$'{shown(escaped)}'"


def command(*words: str) -> str:
    """Return a command for a sentence: in quotation marks, unless those would be part of the command.

    >>> command("assay", "fetch", "timm:a"), command("assay", "fetch", "timm:a(k=1)")
    ("'assay fetch timm:a'", "assay fetch 'timm:a(k=1)'")
    """
    line = " ".join(map(quoted, words))
    return line if "'" in line else f"'{line}'"


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    byte = code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code  # how Python keeps bytes that are no UTF-8
    if byte < 0x80 or byte != code:
        return f"\\x{byte:02x}"
    return f"\\u{byte:04x}" if byte < 0x10000 else f"\\U{byte:08x}"

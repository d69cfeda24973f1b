"""Creates short, unique names of models and tasks for any width."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from assay.core.errors import UsageError
from assay.findings.comparison import Comparison
from assay.plugins.address import ALIAS, Address, Literal

_HEAD_SHARES = (0.45, 0.3, 0.6, 0.15, 0.8)  # share of a shortened name that its beginning takes


def width_of(text: str) -> int:
    """Return the display width of a text: two for a wide letter, none for a combining mark.

    >>> width_of("abc"), width_of("模型")
    (3, 4)
    """
    return sum(_letter_width(letter) for letter in text)


def shorten(names: Sequence[str], width: int) -> dict[str, str]:
    """Shorten names to at most ``width`` columns by removing the middle; different names stay different.

    >>> shorten(["timm:vit_small_patch14.lvd142m", "timm:vit"], 16)
    {'timm:vit_small_patch14.lvd142m': 'timm:vi….lvd142m', 'timm:vit': 'timm:vit'}
    """
    for share in _HEAD_SHARES:
        short = {name: _cut(name, width, share) for name in names}
        if len(set(short.values())) == len(short):
            return short
    return {name: _cut(f"{number} {name}", width, 0.45) for number, name in enumerate(names, start=1)}


def _letter_width(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _cut(name: str, width: int, share: float) -> str:
    name = " ".join(name.split())
    if width_of(name) <= width:
        return name
    head = _beginning(name, max(1, round((width - 1) * share)))
    tail = _beginning(name[::-1], width - 1 - width_of(head))[::-1]
    return f"{head}…{tail}"


def _beginning(text: str, width: int) -> str:
    used = 0
    for number, letter in enumerate(text):
        used += _letter_width(letter)
        if used > width:
            return text[:number]
    return text


LONGEST = 48  # longest address that is not shortened

_NEARLY_AS_MANY = 0.9  # share of the distinctions that the best setting makes

_RANDOM = ("pretrained",)  # random weights must be visible in the name

_Settings = Mapping[str, Literal]


def labels(addresses: Sequence[str]) -> dict[str, str]:
    """Return a unique short name for every address: its alias; a short address is its own name.

    A long address keeps the settings that distinguish it from others of the same source and name.

    >>> nets = [f"torch:nets:build(arguments=('net_{size}',), mean=(0.5, 0.5))" for size in (50, 75)]
    >>> list(labels([*nets, "timm:resnet18"]).values())
    ['net_50', 'net_75', 'timm:resnet18']
    """
    groups: dict[tuple[str, str], dict[str, _Settings]] = defaultdict(dict)
    for text in addresses:
        parsed = _parsed(text)
        groups[parsed.source, parsed.name][text] = dict(parsed.settings)
    called = {text: str(settings_of(text).get(ALIAS) or text) for text in addresses}
    for (source, name), settings in groups.items():
        long = [text for text in settings if width_of(text) > LONGEST]
        keys = _telling(list(settings.values())) if long else []
        head = f"{source}:{name}" if source else name
        names_itself = bool(keys) and all(_text(of_one.get(keys[0])) for of_one in settings.values())
        called |= {
            text: _label("" if names_itself else head, settings[text], keys)
            for text in long
            if called[text] == text
        }
    return _all_different(called)


def model_addresses(comparison: Comparison) -> list[str]:
    """Return the addresses of all models in a comparison, sorted."""
    opened = {row.address for row in comparison.models}
    seen = {cell.model for cell in comparison.cells}
    ranked = {row.model for findings in comparison.tasks for row in findings.standings}
    return sorted(opened | seen | ranked)


def fitted_labels(addresses: Sequence[str], width: int) -> dict[str, str]:
    """Return a unique short name of at most ``width`` columns for every address.

    >>> nets = [f"torch:nets:build(arguments=('net_{size}',), mean=(0.5, 0.5))" for size in (50, 75)]
    >>> list(fitted_labels(nets, 5).values())
    ['ne…50', 'ne…75']
    """
    called = labels(addresses)
    short = shorten(list(called.values()), width)
    return {address: short[label] for address, label in called.items()}


def head_of(address: str) -> str:
    """Return an address without its settings."""
    parsed = _parsed(address)
    return str(Address(parsed.source, parsed.name))


def settings_of(address: str) -> Mapping[str, Literal]:
    """Return the settings of an address; none of a plain name."""
    return dict(_parsed(address).settings)


def _parsed(text: str) -> Address:
    try:
        return Address.parse(text)
    except UsageError:  # a plain name from a user's table
        return Address("", text)


def _telling(settings: Sequence[_Settings]) -> list[str]:
    """Return the settings that distinguish addresses: settings that all addresses have come first.

    Then the most distinctive come first; of nearly equal ones, the shortest.
    """
    chosen: list[str] = []
    known = sorted({key for each in settings for key in each})
    everywhere = [key for key in known if all(key in each for each in settings)]

    def gain(key: str) -> int:
        return _kinds(settings, [*chosen, key]) - _kinds(settings, chosen)

    def length(key: str) -> int:
        return sum(len(str(each.get(key, ""))) for each in settings)

    for keys in (everywhere, _RANDOM, known):
        while (most := max(map(gain, keys), default=0)) > 0:
            chosen.append(min((key for key in keys if gain(key) >= _NEARLY_AS_MANY * most), key=length))
    return chosen


def _kinds(settings: Sequence[_Settings], keys: Sequence[str]) -> int:
    return len({tuple(each.get(key) for key in keys) for each in settings})


def _label(head: str, settings: _Settings, keys: Sequence[str]) -> str:
    """Return a label: the head, or the most distinctive text instead, and the other settings."""
    rest = [f"{key}={settings[key]}" for key in keys[0 if head else 1 :] if key in settings]
    hidden = "(…)" if settings and not keys else ""
    return ", ".join([(head or _text(settings[keys[0]])) + hidden, *rest])


def _text(value: Literal) -> str:
    """Return the text of a string or of several strings; empty for numbers, booleans and None."""
    texts = value if isinstance(value, tuple) else (value,)
    return ", ".join(map(str, texts)) if all(isinstance(part, str) for part in texts) else ""


def _all_different(called: Mapping[str, str]) -> dict[str, str]:
    times = Counter(called.values())
    names = {text: label if times[label] == 1 else text for text, label in called.items()}
    short = shorten(list(names.values()), LONGEST)
    return {text: short[name] for text, name in names.items()}

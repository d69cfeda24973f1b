"""Short names of models and tasks: an alias, or the shortest unique end of an address; and their legend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from assay.core.errors import UnknownName, UsageError
from assay.core.task import Modality
from assay.findings.comparison import Comparison
from assay.findings.facts import has_random_weights
from assay.plugins.address import ALIAS
from assay.wording.names import head_of, labels, model_addresses, settings_of

CONTROL = "random weights (control)"
_BEFORE_END = "/:\\"  # an end of an address begins after one of these


def alias_of(address: str) -> str:
    """Return the alias in the settings of an address; empty without one.

    >>> alias_of("timm:resnet50.a1_in1k(alias='resnet')")
    'resnet'
    """
    return str(settings_of(address).get(ALIAS) or "")


def short_names(addresses: Iterable[str]) -> dict[str, str]:
    """Return the shortest unique name of every address: its alias, else the end of the address.

    >>> models = ["timm:resnet18.a1_in1k", "hf:google-bert/bert-base", "packaged:lite0", "timm:lite0"]
    >>> list(short_names(models).values())
    ['resnet18.a1_in1k', 'bert-base', 'packaged:lite0', 'timm:lite0']
    """
    distinct = list(dict.fromkeys(addresses))
    ways = [_names(distinct, way) for way in _WAYS]
    called, holders = labels(distinct), _holders(ways)
    return {address: _shortest(address, called[address], ways, holders) for address in distinct}


def model_names(comparison: Comparison) -> dict[str, str]:
    """Return the short name of every model in a comparison, sorted by address."""
    return short_names(model_addresses(comparison))


def report_names(comparison: Comparison) -> dict[str, str]:
    """Return the name of every model in reports: the only control of a modality is called that."""
    rows = {row.address: row for row in comparison.models}
    controls: dict[Modality, set[str]] = {}
    for findings in comparison.tasks:
        named = [*(row.model for row in findings.standings), *(cell.model for cell in findings.missing)]
        random = {model for model in named if has_random_weights(model, rows)}
        controls.setdefault(findings.task.modality, set()).update(random)
    return model_names(comparison) | control_names(controls.values())


def control_names(random: Iterable[Collection[str]]) -> dict[str, str]:
    """Return the name of each model with random weights that is the only one of its modality.

    Args:
        random: The models with random weights of each modality.
    """
    groups = [set(models) for models in random]
    alone = {model for models in groups if len(models) == 1 for model in models}
    several = {model for models in groups if len(models) > 1 for model in models}
    return dict.fromkeys(sorted(alone - several), CONTROL)


def has_random_setting(address: str) -> bool:
    """Return whether an address asks for random weights, as that of a control does.

    >>> has_random_setting("timm:resnet18(pretrained=False, seed=1)")
    True
    """
    return settings_of(address).get("pretrained") is False


def names_without_machine(addresses: Iterable[str]) -> dict[str, str]:
    """Return every address itself, or its short name where it holds the path of a folder of this machine.

    >>> names_without_machine(["timm:resnet18", "folder:/home/me/birds"])
    {'timm:resnet18': 'timm:resnet18', 'folder:/home/me/birds': 'birds'}
    """
    short = short_names(addresses)
    return {address: name if _holds_path(address) else address for address, name in short.items()}


def _holds_path(address: str) -> bool:
    texts = [head_of(address).partition(":")[2], *map(str, settings_of(address).values())]
    return any(text.startswith(("/", "~")) or text[1:3] == ":\\" for text in texts)


def addresses_called(
    names: Sequence[str], addresses: Iterable[str], what: str, control: str = ""
) -> tuple[str, ...]:
    """Return the address that each name means: an address itself, its alias, its label or a unique end.

    Args:
        names: What the user wrote.
        addresses: The known addresses.
        what: The word for them in messages, such as "model of 'assay-store'".
        control: The address that is called the control; empty for none.

    Raises:
        UnknownName: No address is called so.
        UsageError: Several are.
    """
    known = list(dict.fromkeys(addresses))
    called = labels(known)
    ways = [{address: {address} for address in known}]
    ways += [_names(known, _WAYS[0]), {address: {called[address]} for address in known}]
    ways += [_names(known, way) for way in _WAYS[1:]]
    shown = short_names(known)
    if control:
        ways.append({control: {CONTROL}})
        shown[control] = f"{CONTROL} [{shown[control]}]"
    return tuple(_called(name, ways, what, shown.values()) for name in names)


def _called(name: str, ways: Sequence[Mapping[str, set[str]]], what: str, shown: Iterable[str]) -> str:
    for names in ways:
        matches = [address for address in names if name in names[address]]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise UsageError(f"'{name}' may be {' or '.join(matches)}. Write one of these addresses.")
    raise UnknownName(what, name, shown)


def _aliases(address: str) -> set[str]:
    return {alias_of(address)} - {""}


def _ends(address: str) -> set[str]:
    """Return the ends of an address, with its settings."""
    head = head_of(address)
    starts = [0, *(place + 1 for place, letter in enumerate(head) if letter in _BEFORE_END)]
    return {address[start:].rstrip("/") for start in starts} - {""}


def _heads(address: str) -> set[str]:
    """Return the ends of an address without its settings."""
    return _ends(head_of(address))


_WAYS: tuple[Callable[[str], set[str]], ...] = (_aliases, _ends, _heads)


def _names(addresses: Iterable[str], way: Callable[[str], set[str]]) -> dict[str, set[str]]:
    return {address: way(address) for address in addresses}


def _holders(ways: Sequence[Mapping[str, set[str]]]) -> list[Counter[str]]:
    """Return for each way how many addresses have a name in this way, or in one that comes first."""
    together: dict[str, set[str]] = {}
    holders = []
    for names in ways:
        together = {address: together.get(address, set()) | names[address] for address in names}
        holders.append(Counter(name for of_one in together.values() for name in of_one))
    return holders


def _shortest(
    address: str, label: str, ways: Sequence[Mapping[str, set[str]]], holders: Sequence[Counter[str]]
) -> str:
    """Return the shortest name that means one address: an alias first, then an end."""
    alias = alias_of(address)
    if alias and holders[0][alias] == 1:
        return alias
    shows_all = "pretrained" in settings_of(address)  # random weights must be visible in the name
    unique = [
        name
        for way in range(1, 2 if shows_all else len(ways))
        for name in ways[way][address]
        if holders[way][name] == 1
    ]
    return min([*unique, label], key=lambda name: (len(name), name))

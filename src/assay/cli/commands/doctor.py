"""assay doctor: shows what is installed, and what named models, tasks and methods lack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli import completion, options
from assay.cli.printing import say, say_fitted

if TYPE_CHECKING:
    from assay.actions.doctor import Finding

EXAMPLES = """
Examples:

- `assay doctor`  # shows versions, devices, and caches with their sizes

- `assay doctor timm:resnet18.a1_in1k hub:mteb/banking77 fine_tune`  # says which packages these lack

- `assay doctor --network`  # also asks the Hugging Face hub for one answer; nothing else uses the network

Exit code 1 if something that you named is missing, or the hub does not answer.
"""


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Models, tasks, scores, protocols: what do they need?",
            autocompletion=completion.everything,
        ),
    ] = None,
    network: Annotated[bool, typer.Option("--network", help="Ask whether the hub can be reached.")] = False,
    offline: options.Offline = False,
    plugin: options.Plugins = None,
) -> None:
    """Show versions, devices and caches, and which packages the named models, tasks and methods lack."""
    from assay.actions import doctor
    from assay.core.errors import UsageError

    if network and offline:
        raise UsageError("--offline uses no network. Leave out --network or --offline.")
    options.go_offline_if(offline)
    options.add_plugins(plugin)
    faults = _show("named", doctor.named(names or ()))
    faults += _show("machine", doctor.machine())
    faults += _show("packages", doctor.packages())
    faults += _show("caches", doctor.caches())
    faults += _show("network", [doctor.network()] if network else ())
    if faults:
        raise typer.Exit(code=1)


def _show(title: str, findings: Iterable[Finding]) -> int:
    """Print the lines of one part; return how many name a fault."""
    found = list(findings)
    if not found:
        return 0
    say(f"{title}:")
    width = min(max(len(finding.what) for finding in found), 40)
    for what, text, _ in found:
        say_fitted(f"  {what:{width}}  {text}", indent=6)
    return sum(finding.is_fault for finding in found)

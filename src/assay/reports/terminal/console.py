"""The console for styled output: it escapes control characters in names and messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook
from rich.segment import Segment

from assay.core.escaping import shown


def console(file: IO[str] | None = None, *, stderr: bool = False, **settings: Any) -> Console:
    """Return a console of rich that shows names as they are: ``:cat:`` is no emoji, ``[red]`` no style.

    Args:
        file: Where to write, by default standard output.
        stderr: Write to standard error.
        settings: Other settings of rich.
    """
    shown_as_written = {"emoji": False, "markup": False, **settings}
    return escaping(Console(file=file, stderr=stderr, **shown_as_written))


def escaping(console: Console) -> Console:
    """Return the same console, which escapes from now on."""
    if not any(isinstance(hook, _Escaping) for hook in console._render_hooks):
        console.push_render_hook(_Escaping())
    return console


class _Escaping(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Return what will be shown, with its text escaped."""
        return [_Escaped(renderable) for renderable in renderables]


@dataclass(frozen=True, slots=True)
class _Escaped:
    renderable: ConsoleRenderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self.renderable, options):
            yield segment if segment.control else segment._replace(text=shown(segment.text))

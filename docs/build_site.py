"""Builds the documentation: the pages of this folder, and what the code says of itself (``reference.py``).

    python docs/build_site.py

A line such as ``<!-- generated: scores -->`` in a page is replaced by the reference of those plug-ins, which
is written nowhere else. Links to files outside of this folder go to a copy of that page. The site needs no
network: no font, script or style comes from another host, and a build that names one fails.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from reference import GENERATED

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
BUILD = ROOT / "build" / "documentation"
OUTSIDE = {  # pages that live elsewhere in the repository, by the name that they have on the site
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "architecture.md": "ARCHITECTURE.md",
    "past_tables.md": "src/assay/search/past/tables/README.md",
}


def write_pages(folder: Path) -> None:
    """Write all pages into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns("*.py", "*.toml", "__pycache__"))
    for name, source in OUTSIDE.items():
        shutil.copy(ROOT / source, folder / name)
    for notebook in folder.glob("*.ipynb"):
        notebook.with_suffix(".md").write_text(page_of(notebook), "utf-8")
    for page in folder.rglob("*.md"):
        text = page.read_text("utf-8")
        text = re.sub(r"<!-- generated: ([\w.]+) -->", lambda found: GENERATED[found[1]](), text)
        for name, source in OUTSIDE.items():
            text = text.replace(f"](../{source})", f"]({name})").replace(f"]({source})", f"]({name})")
        if page.name in OUTSIDE:
            text = text.replace("](docs/", "](")
        page.write_text(text, "utf-8")


def page_of(notebook: Path) -> str:
    """Return a notebook as Markdown, without outputs."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    texts = [(cell["cell_type"] == "code", "".join(cell["source"])) for cell in cells]
    parts = [f"```python\n{text}\n```" if is_code else text for is_code, text in texts]
    return "\n\n".join([*parts, f"[This page as a notebook]({notebook.name})"]) + "\n"


def write_index_for_models(pages: Path, site: Path) -> None:
    """Write llms.txt: each page with its first sentence; the pages themselves lie beside it as Markdown."""
    nav = tomllib.loads((DOCS / "zensical.toml").read_text("utf-8"))["project"]["nav"]
    lines = [
        "# Assay",
        "",
        "> Which pretrained model fits my tasks, how sure is that, and what does it cost?",
        "",
    ]
    for group in nav:
        (title, entries), *_ = group.items()
        lines += [f"## {title}", ""]
        for entry in [{title: entries}] if isinstance(entries, str) else entries:
            (name, page), *_ = entry.items()
            lines.append(f"- [{name}]({page}): {first_sentence((pages / page).read_text('utf-8'))}")
            (site / page).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(pages / page, site / page)
        lines.append("")
    (site / "llms.txt").write_text("\n".join(lines), "utf-8")


def first_sentence(text: str) -> str:
    """Return the first sentence of a page below its title."""
    body = re.sub(r"```.*?```|<!--.*?-->|!\[[^\n]*", "", text, flags=re.DOTALL)
    plain = [
        part for part in body.split("\n\n")[1:] if part.strip() and not part.lstrip().startswith(("#", "|"))
    ]
    words = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", " ".join(plain[0].split())) if plain else ""
    return re.split(r"(?<=[.:!?]) (?=[A-Z`])", words.replace("**", ""))[0].rstrip(":")


def foreign_hosts(site: Path) -> list[str]:
    """Return what pages load from other hosts, which should be nothing."""
    loads = re.compile(
        r"""<(?:script|img|iframe|source)[^>]*\bsrc=["']?https?://[^"'>\s]+|<link[^>]*stylesheet[^>]*https?://[^>]*"""
    )
    return [
        f"{page.name}: {found}"
        for page in site.rglob("*.html")
        for found in loads.findall(page.read_text("utf-8"))
    ]


def main() -> None:
    """Build the site; stop with a message where anything is wrong."""
    BUILD.mkdir(parents=True, exist_ok=True)
    write_pages(BUILD / "docs")
    shutil.copy(DOCS / "zensical.toml", BUILD / "zensical.toml")
    zensical = Path(sys.executable).with_name("zensical")
    done = subprocess.run([zensical, "build", "--strict", "--clean"], cwd=BUILD, check=False)
    if done.returncode:
        sys.exit("A page of the documentation is wrong: see above.")
    write_index_for_models(BUILD / "docs", BUILD / "site")
    if foreign := foreign_hosts(BUILD / "site"):
        sys.exit("The site loads from other hosts: " + "; ".join(foreign[:5]))
    site = (BUILD / "site").relative_to(ROOT)
    print(f"Built {site}. To read and search it: python -m http.server -d {site}")


if __name__ == "__main__":
    main()

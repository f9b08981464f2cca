"""Metadata of the installed packages that hemc needs → docs/licences.md."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.page import table

PAGE = Path(__file__).parent.parent / "docs" / "licences.md"

#: Parts of the page: heading, and the extra of hemc that asks for its packages.
_PARTS = (
    ("What every installation needs", ""),
    ("With `hemc[cluster]`", "cluster"),
    ("With `hemc[warehouse]`", "warehouse"),
    ("For development only", "dev"),
)

_HEAD = """\
# Licences

Written by `scripts/licences` from the metadata of the installed packages, in the versions of
`constraints.txt`; a test tells when it is no longer so. hemc itself is Apache-2.0. A package is
listed where it is first needed, directly or through another one. Nothing of these packages is
copied into hemc, but the page of a report holds the bundle of Vega, Vega-Lite and Vega-Embed
(BSD-3-Clause) that vl-convert-python makes. Not listed is what `scripts/fuzz` alone installs,
atheris (Apache-2.0).
"""

#: What packages write in the old field instead of naming a licence.
_NO_NAME = ("Dual License", "UNKNOWN")
_LONGEST_NAME = 40  # beyond it the old field holds a licence's whole text


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, default=PAGE, help="page that is written")
    parser.parse_args(arguments).page.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the text of docs/licences.md."""
    listed: set[str] = set()
    parts = [_HEAD]
    for heading, extra in _PARTS:
        found = sorted(needed("hemc", extra) - listed - {"hemc"})
        listed |= set(found)
        rows = [(d.name, d.version, licence(d)) for d in map(distribution, found)]
        listing = table(("package", "version", "licence"), rows).replace("---:", "---")
        parts.append(f"## {heading}\n\n{listing}\n")
    return "\n".join(parts)


def needed(name: str, extra: str = "") -> set[str]:
    """Return the normalised names of a package and of all that it needs, on this platform."""
    found: set[str] = set()
    waiting = [(name, extra)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        item = waiting.pop()
        if item not in seen:
            seen.add(item)
            found.add(item[0])
            waiting += _asked_by(*item)
    return found


def licence(package: Distribution) -> str:
    """Return how a package names its licence: expression, short name or classifiers."""
    metadata = package.metadata
    if "License-Expression" in metadata:
        return str(metadata["License-Expression"])
    name = str(metadata["License"]) if "License" in metadata else ""
    if 0 < len(name) <= _LONGEST_NAME and name not in _NO_NAME:
        return name
    kinds = [kind for kind in metadata.get_all("Classifier") or [] if kind.startswith("License ::")]
    return "; ".join(kind.rpartition(" :: ")[2] for kind in kinds) or "not named"


def _asked_by(name: str, extra: str) -> Iterator[tuple[str, str]]:
    """Yield the requirements of a package with one of its extras, and their own extras."""
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            wanted = canonicalize_name(requirement.name)
            yield wanted, ""
            yield from ((wanted, more) for more in sorted(requirement.extras))


if __name__ == "__main__":
    main()

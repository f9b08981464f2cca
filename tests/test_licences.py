"""docs/licences.md is what the installed packages say, and nothing that hemc needs is copyleft."""

from importlib.metadata import distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.licences import PAGE, licence, needed, page

EXTRAS = ("", "cluster", "warehouse")


def test_the_page_is_what_is_installed():
    """Where this fails, packages have changed: scripts/licences writes the page anew."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_package_of_the_project_is_listed():
    asked = {canonicalize_name(Requirement(line).name) for line in distribution("hemc").requires}
    asked -= {"atheris"}  # not installed by scripts/install dev; the page says so
    assert asked <= set().union(*(needed("hemc", extra) for extra in (*EXTRAS, "dev")))
    assert "llvmlite" in needed("hemc")  # through numba


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_users_install_has_a_permissive_licence(extra):
    for name in needed("hemc", extra):
        named = licence(distribution(name))
        assert named != "not named"
        assert "GPL" not in named.upper().replace("GENERAL PUBLIC", "GPL"), name


class Package:
    """A package with the metadata given."""

    def __init__(self, **fields):
        self.metadata = Metadata({key.replace("_", "-"): value for key, value in fields.items()})


class Metadata(dict):
    def get_all(self, key):
        return self.get(key)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"License_Expression": "MIT", "License": "BSD"}, "MIT"),
        ({"License": "BSD-3-Clause"}, "BSD-3-Clause"),
        ({"License": "Copyright " * 9, "Classifier": ["License :: OSI Approved :: X"]}, "X"),
        ({"License": "Dual License", "Classifier": ["License :: A", "License :: B"]}, "A; B"),
        ({"Classifier": ["Topic :: Y"]}, "not named"),
    ],
)
def test_a_package_names_its_licence_in_one_of_three_ways(fields, name):
    assert licence(Package(**fields)) == name

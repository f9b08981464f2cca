"""What tests share: the tree, the shipped configuration and certificate."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def base_toml():
    return ROOT / "configs" / "base.toml"


@pytest.fixture(scope="session")
def certificate_txt():
    return ROOT / "configs" / "certificates" / "gmacm-2003-he2_2004-02-25.txt"

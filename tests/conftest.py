"""What tests share: the tree, the shipped configuration and certificate."""

import os
from pathlib import Path

os.environ["HEMC_CALLABLE_STEPS"] = "1"  # before hemc is imported: steps called from Python

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

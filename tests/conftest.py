"""What tests share: the tree, the shipped configuration and certificate."""

import os
import shutil
import socket
import subprocess
import tempfile
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


@pytest.fixture(scope="session")
def postgres_url():
    """A PostgreSQL server of our own on a free loopback port, for as long as the tests run."""
    # Not below pytest's own folder, which the server's user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="hemc-postgres-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bin_dir = max(Path("/usr/lib/postgresql").glob("*/bin"))
    # The server refuses to run as root; then it runs as the user that its package made.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    control = [*as_user, str(bin_dir / "pg_ctl"), "-D", str(data)]
    start = [*control, "-o", options, "-l", str(folder / "log"), "-w", "start"]
    initdb = [*as_user, str(bin_dir / "initdb"), "-D", str(data), "-A", "trust", "-U", "hemc"]
    for command in (initdb, start):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    yield f"postgresql://hemc@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)

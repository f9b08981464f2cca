"""A certificate goes in; a folder with a configuration and every file it names comes out."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from pydantic import BaseModel

from hemc.config import Config
from hemc.errors import InputError
from hemc.inputs.certificate_record import read_document_or_record
from hemc.inputs.deal import read_deal
from hemc.inputs.shipped import configs_dir, shipped_deals
from hemc.inputs.toml import read_toml

_SCHEMA = "hemc.schema.json"


def write_study(folder: Path, certificate: Path | None = None, deal: Path | None = None) -> Path:
    """Write `folder` and return its configuration.

    The configuration is the shipped base.toml, comments included, with its inputs replaced; its
    JSON Schema lies beside it, so that an editor completes keys.
    Raises InputError for a folder that is not empty, a certificate that cannot be read, and a
    series of which neither a deal file is given nor one shipped.
    """
    configs = configs_dir()
    inputs = read_toml(configs / "base.toml", "the shipped configuration")["inputs"]
    files = {name: configs / path for name, path in inputs.items()}
    if certificate is not None:
        files["certificate"] = certificate
    files["deal"] = deal or _deal_of(files["certificate"])
    read_deal(files["deal"])
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(folder, "", "something that is already there", "a new or empty folder")
    text = (configs / "base.toml").read_text(encoding="utf-8")
    for name, file in files.items():
        place = f"{Path(inputs[name]).parent}/{file.name}"
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / place)
        text = re.sub(rf'^{name} = ".*"$', f'{name} = "{place}"', text, count=1, flags=re.M)
    (folder / _SCHEMA).write_text(config_schema(), encoding="utf-8")
    path = folder / "base.toml"
    path.write_text(f"#:schema {_SCHEMA}\n{text}", encoding="utf-8")
    return path


def config_schema(model: type[BaseModel] = Config) -> str:
    """Return the JSON Schema of a configuration, or of another settings model, as text."""
    return json.dumps(model.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


def _deal_of(certificate: Path) -> Path:
    """Return the shipped deal file of a certificate's series."""
    series, deals = read_document_or_record(certificate).series, shipped_deals()
    if series not in deals:
        expected = f"a certificate of {' or '.join(deals)}, or --deal FILE"
        raise InputError(certificate, "series", str(series or "none"), expected)
    return deals[series]

"""A run with fitted classes: the file is an input like others and decides how loans differ."""

import numpy as np
import pytest

from hemc import engine
from hemc.config import load_config
from hemc.errors import InputError


def calibrated(base_toml, **changes):
    """Return documents and calibration of base under changed keys."""
    loaded = load_config(base_toml, {key.replace("__", "."): text for key, text in changes.items()})
    documents = engine.read_documents(loaded)
    return documents, engine.calibrate(loaded, documents)


def test_fitted_classes_mix_to_the_calibrated_matrix(base_toml):
    file = base_toml.parent / "classes" / "first-liens-2014.toml"
    documents, found = calibrated(
        base_toml, roll_rates__classes="2", inputs__latent_classes="classes/first-liens-2014.toml"
    )
    assert documents.paths["latent_classes"] == file, "named, so its digest enters the manifest"
    mix = np.einsum("sk,kst->st", found.classes.share, found.classes.rates)
    np.testing.assert_allclose(mix, found.roll_rates.mean, atol=1e-12)
    _, by_settings = calibrated(base_toml, roll_rates__classes="2")
    assert not np.allclose(by_settings.classes.share, found.classes.share)


def test_a_missing_file_of_classes_is_named(base_toml):
    with pytest.raises(InputError, match=r"none\.toml: found no such file"):
        calibrated(base_toml, inputs__latent_classes="none.toml")

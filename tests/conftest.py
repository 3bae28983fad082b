"""What every test may ask for: real recordings (skipped, with the reason, where absent), the shipped coefficients."""

import os
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from hamload import settings
from hamload.parameters import AlertRules, LoadModel, Signal

#: What CI judges must not depend on chance or on how busy its machine is; at a desk the examples differ every time.
hypothesis_settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    hypothesis_settings.load_profile("ci")
#: Mutants are judged by fewer examples: each of thousands of them meets every property.
hypothesis_settings.register_profile("few", derandomize=True, deadline=None, max_examples=15)
if os.environ.get("HAMLOAD_MUTANTS"):
    hypothesis_settings.load_profile("few")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real recordings and numbers with known answers, which never enter the repository."""
    folder = Path(os.environ.get("HAMLOAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real recordings here: {folder} is absent (HAMLOAD_SHARED_DATA names another place)")
    return folder


@pytest.fixture(scope="session")
def model() -> LoadModel:
    return settings.defaults()[0]


@pytest.fixture(scope="session")
def signal() -> Signal:
    return settings.defaults()[1]


@pytest.fixture(scope="session")
def rules() -> AlertRules:
    return settings.defaults()[2]

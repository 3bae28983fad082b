from pathlib import Path

import pytest

from hamload import settings
from hamload.errors import ConfigurationError


def _load(home: Path, text: str) -> settings.Settings:
    (home / "config.toml").write_text(text)
    return settings.load(home)


def test_a_home_without_settings_has_the_shipped_ones(tmp_path: Path) -> None:
    current = settings.load(tmp_path)
    assert [a.id for a in current.athletes] == ["me"]
    assert current.model == settings.defaults()[0]


def test_one_changed_coefficient_changes_itself_the_model_version_and_its_provenance(tmp_path: Path) -> None:
    current = _load(tmp_path, "[model.demand]\neasy_exponent = 2.0\n")
    shipped = settings.defaults()[0]
    assert current.model.demand.easy_exponent == 2.0
    assert current.model.demand.fast_exponent == shipped.demand.fast_exponent
    assert current.model.version != shipped.version
    changed = current.provenance["model.demand.easy_exponent"]
    assert (changed.value, changed.kind, changed.is_default) == (2.0, "A", False)
    assert "default 1.9" in changed.source


def test_a_changed_window_of_the_model_is_the_advices_window_too(tmp_path: Path) -> None:
    current = _load(tmp_path, "[model.series]\nreturning_days = 21\n")
    assert current.alerts.windows.returning_days == current.model.series.returning_days == 21


def test_every_shipped_coefficient_says_what_it_rests_on(tmp_path: Path) -> None:
    for name, provenance in settings.load(tmp_path).provenance.items():
        assert provenance.kind in {"E", "A"}, name
        assert len(provenance.source) > 10, name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("this is = = no toml", "not valid TOML"),
        ("time_zone = 'Europe/Vien'", r"Did you mean Europe/Vienna"),
        ("[model.demand]\nexponent = 2", r"\[model.demand\] has no exponent. There are: easy_exponent"),
        ("[model.demand]\neasy_exponent = 'two'", "not a number"),
        ("[model.demand]\neasy_exponent = -1", "not a number from 0 to 1,000,000"),
        ("[alerts.deload]\nspike = nan", "not a number"),
        ("[alerts.deload]\nspike = 1e300", "not a number from 0 to 1,000,000"),
        ("[alerts.nonsense]\nx = 1", r"no such section: \[alerts.nonsense\]"),
        ("unknown_key = 1", "unknown_key"),
        ("[[athletes]]\nid = '../up'", "athletes.0.id"),
        ("[import]\nworkers = 2.5", "import.workers"),
        ("model = 3", "model = 3 is no table"),
        ("[model.labels]\nhill_climb_quantile = 3", "is no share"),
        ("[model.series]\nacute_days = 40", "does not fit chronic_days"),
        ("[[athletes]]\nid = 'ann'\n[[athletes]]\nid = 'ann'", "same id"),
        ("[[folders]]\npath = '/x'\nathlete = 'nobody'", "not in .*athletes"),
    ],
)
def test_a_broken_setting_is_named_with_its_file_and_what_to_do(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        _load(tmp_path, text)
    assert str(tmp_path / "config.toml") in caught.value.what
    assert caught.value.remedy


def test_one_changed_import_limit_leaves_the_others_as_shipped(tmp_path: Path) -> None:
    current = _load(tmp_path, "[import]\nworkers = 3\n")
    shipped = settings.load(tmp_path / "elsewhere").imports
    assert current.imports == shipped.model_copy(update={"workers": 3})


def test_several_runners_have_to_be_told_apart(tmp_path: Path) -> None:
    current = _load(tmp_path, "[[athletes]]\nid = 'ann'\ntime_zone = 'Asia/Tokyo'\n[[athletes]]\nid = 'bea'\n")
    assert current.athlete("ann").time_zone == "Asia/Tokyo"
    with pytest.raises(ConfigurationError, match="--athlete"):
        current.athlete()
    with pytest.raises(ConfigurationError, match="No runner named 'eve'"):
        current.athlete("eve")


def test_the_home_is_the_argument_then_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAMLOAD_HOME", str(tmp_path / "env"))
    assert settings.home_folder() == tmp_path / "env"
    assert settings.home_folder(tmp_path / "argument") == tmp_path / "argument"

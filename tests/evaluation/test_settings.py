"""Settings: configs by sweeps, told apart by names that a user knows."""

import pytest

from azml_magics.core.config import LLMConfig
from azml_magics.core.errors import UsageError
from azml_magics.evaluation.settings import Setting, expand_settings

URL = "https://a.openai.azure.com/openai/v1"
SMALL, LARGE = (LLMConfig(name=name, endpoint_url=URL) for name in ("small", "large"))


def test_setting_is_a_mapping_of_what_sets_it_apart():
    setting = Setting(3, SMALL, {"config": "small", "temperature": 0}, repeat=2)
    assert dict(setting) == {"config": "small", "temperature": 0}
    assert (setting["temperature"], setting.label) == (0, "config=small, temperature=0")


def test_label_of_single_value_has_no_name():
    assert Setting(0, SMALL, {"config": "small"}).label == "small"


def test_configs_and_sweep_are_combined_in_order():
    settings = expand_settings([SMALL, LARGE], {"temperature": [0, 1]})
    assert [setting.label for setting in settings] == [
        "config=small, temperature=0",
        "config=small, temperature=1",
        "config=large, temperature=0",
        "config=large, temperature=1",
    ]
    assert [setting.index for setting in settings] == [0, 1, 2, 3]
    assert [setting.config.model_kwargs["temperature"] for setting in settings] == [0, 1, 0, 1]


def test_sweep_of_one_config_leaves_out_its_name():
    assert [dict(setting) for setting in expand_settings([SMALL], {"top_p": [0.5]})] == [{"top_p": 0.5}]


def test_single_config_is_named():
    assert [dict(setting) for setting in expand_settings([SMALL])] == [{"config": "small"}]


def test_configs_without_or_with_equal_names_are_numbered():
    settings = expand_settings([LLMConfig(endpoint_url=URL), SMALL, SMALL.merged(timeout=5)])
    assert [setting.label for setting in settings] == ["config 1", "small", "small (2)"]


def test_no_config_is_refused():
    with pytest.raises(UsageError, match="at least one config"):
        expand_settings([])


def test_sweep_without_values_is_refused():
    with pytest.raises(UsageError, match="at least one value"):
        expand_settings([SMALL], {"temperature": []})

"""How a response looks while it arrives, and what stays."""

from __future__ import annotations

from azml_magics.display.live import LiveDisplay

# ---- LiveDisplay -----------------------------------------------------------------------------------------------


def test_live_display_appears_with_the_first_update(area):
    display = LiveDisplay(area)
    display.clear()
    assert area.shown == []
    display.update(lambda: {"text/plain": "1"})
    assert area.shown == [(False, {"text/markdown": ""}), (True, {"text/plain": "1"})]


def test_live_display_does_not_render_between_two_updates(area, clock):
    display = LiveDisplay(area, min_interval=0.1)
    for number in range(10):
        display.update(lambda: {"text/plain": str(number)})  # noqa: B023 - called at once
        clock.now += 0.03
    assert [data["text/plain"] for is_update, data in area.shown if is_update] == ["0", "4", "8"]


def test_live_display_sends_unchanged_data_once(area, clock):
    display = LiveDisplay(area)
    for _ in range(3):
        display.update(lambda: {"text/plain": "same"})
        clock.now += 1
    assert sum(is_update for is_update, _ in area.shown) == 1


def test_live_display_updates_a_long_output_less_often(area, clock):
    display = LiveDisplay(area)
    for number in range(100):
        display.update(lambda: {"text/plain": f"{number}" * 400_000})  # noqa: B023 - called at once
        clock.now += 0.05
    assert sum(is_update for is_update, _ in area.shown) < 10


def test_live_display_discards_markdown_that_is_still_being_rendered(area):
    display = LiveDisplay(area)
    display.update(lambda: {"text/markdown": "so far"})
    display.clear()
    display.clear()
    assert area.shown[-2:] == [(True, {"text/html": ""}), (True, {"text/markdown": ""})]
    assert len(area.shown) == 4


def test_live_display_keeps_data_in_an_output_of_its_own(area):
    display = LiveDisplay(area)
    display.update(lambda: {"text/plain": "so far"})
    display.keep({"text/plain": "the end"})
    assert area.shown[-2:] == [(True, {"text/markdown": ""}), (False, {"text/plain": "the end"})]

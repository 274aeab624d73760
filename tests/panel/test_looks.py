"""Shared layouts and styles: one of each kind for a panel, closed with it."""

from __future__ import annotations

import threading

import ipywidgets as w

from azml_magics.panel.view.looks import Looks, close_tree

from .widgets import Traffic, open_panel, within


def test_widgets_of_a_kind_share_layout_and_style():
    looks = Looks()
    with Traffic().recording() as traffic, looks.shared():
        first, second, other = w.Text(), w.Text(), w.Button()
    assert first.layout is second.layout is other.layout
    assert first.style is second.style
    assert first.style is not other.style
    assert len(traffic.open_comms()) == 3 + 3


def test_widget_made_with_its_own_layout_keeps_it():
    with Traffic().recording(), Looks().shared():
        first, own = w.Text(), w.Text(layout={"width": "5px"})
    assert own.layout.width == "5px"
    assert first.layout.width is None


def test_widgets_of_others_are_left_alone():
    made = []
    with Traffic().recording():
        with Looks().shared():
            shared = w.Text()
            thread = threading.Thread(target=lambda: made.append(w.Text()))
            thread.start()
            thread.join()
        made.append(w.Text())
    assert len({id(each.layout) for each in (shared, *made)}) == 3


def test_callback_of_another_library_is_still_called():
    heard = []
    w.Widget.on_widget_constructed(heard.append)
    try:
        with Traffic().recording(), Looks().shared():
            text = w.Text()
        with Traffic().recording():
            after = w.Text()
    finally:
        w.Widget.on_widget_constructed(None)
    assert text in heard
    assert after in heard


def test_close_tree_closes_all_children():
    with Traffic().recording() as traffic:
        box = w.VBox([w.HBox([w.Text(), w.Button()]), w.Output(), w.Tab([w.FloatSlider()])])
        close_tree(box)
        close_tree(box)
    assert traffic.open_comms() == set()


def test_close_tree_leaves_what_others_share():
    looks = Looks()
    with Traffic().recording() as traffic:
        with looks.shared():
            gone, kept = w.Text(), w.Text()
        close_tree(gone)
        assert {kept.comm.comm_id, kept.layout.comm.comm_id, kept.style.comm.comm_id} == traffic.open_comms()
        close_tree(kept)
        looks.close()
    assert traffic.open_comms() == set()


def test_no_widget_of_the_panel_changes_the_shared_layout():
    with open_panel() as panel:
        layouts = {id(each.layout): each.layout for each in within(panel.panel.widget)}
        (layout,) = layouts.values()
        blank = w.Layout()
        assert {name: getattr(layout, name) for name in layout.keys} == {
            name: getattr(blank, name) for name in blank.keys
        }

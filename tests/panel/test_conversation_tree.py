"""The tree of a conversation: its branches, and what is shown after every change."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_magics.panel.model.conversation_store import follow_messages
from azml_magics.panel.model.conversation_tree import ConversationTree
from azml_magics.panel.model.turn import Turn


def turn(name, role="user"):
    return Turn(name, {"role": role, "content": f"text {name}"})


def tree_of(*names):
    return ConversationTree().add("", *(turn(name) for name in names))


def shown(tree):
    return [each.id for each in tree.turns]


def test_turns_are_shown_in_order():
    tree = tree_of("a", "b", "c")
    assert shown(tree) == ["a", "b", "c"]
    assert shown(tree.add("c", turn("d"))) == ["a", "b", "c", "d"]
    assert shown(tree) == ["a", "b", "c"]


def test_second_way_is_shown_and_first_is_kept():
    tree = tree_of("a", "b", "c").add("a", turn("x"))
    assert shown(tree) == ["a", "x"]
    assert tree.branch("a") == (2, 2)
    assert shown(tree.switch("a", 1)) == ["a", "b", "c"]
    assert shown(tree.switch("a", 9)) == ["a", "x"]
    assert shown(tree.switch("a", -1)) == ["a", "b", "c"]


def test_way_that_is_not_to_be_shown_waits_beside():
    tree = tree_of("a", "b").add("a", turn("x"), show=False)
    assert (shown(tree), tree.branch("a")) == (["a", "b"], (1, 2))


def test_new_branch_is_empty_until_a_turn_is_added():
    tree = tree_of("a", "b").start_branch("a")
    assert (shown(tree), tree.branch("a"), tree.is_at_end("a")) == (["a"], (2, 2), True)
    assert shown(tree.add("a", turn("x"))) == ["a", "x"]
    assert shown(tree.switch("a", 1)) == ["a", "b"]
    assert tree.switch("a", 1).branch("a") == (1, 1)


def test_branch_before_first_turn_begins_anew():
    tree = tree_of("a", "b").start_branch("").add("", turn("x"))
    assert (shown(tree), tree.branch("")) == (["x"], (2, 2))


@pytest.mark.parametrize(
    ("deleted", "left"), [("a", ["b", "c"]), ("b", ["a", "c"]), ("c", ["a", "b"])], ids=["first", "middle", "last"]
)
def test_deleting_a_turn_keeps_what_follows(deleted, left):
    assert shown(tree_of("a", "b", "c").delete(deleted)) == left


def test_deleting_a_turn_keeps_all_of_its_branches():
    tree = tree_of("a", "b", "c").add("b", turn("x")).delete("b")
    assert (shown(tree), tree.branch("a")) == (["a", "x"], (2, 2))
    assert shown(tree.switch("a", 1)) == ["a", "c"]


def test_deleting_the_only_turn_of_a_branch_shows_another_one():
    tree = tree_of("a", "b").add("a", turn("x")).delete("x")
    assert (shown(tree), tree.branch("a")) == (["a", "b"], (1, 1))


def test_deleting_in_another_branch_leaves_the_shown_one():
    tree = tree_of("a", "b").add("a", turn("x"))
    assert shown(tree.delete("b")) == ["a", "x"]
    assert shown(tree.switch("a", 1).delete("x")) == ["a", "b"]


def test_turn_of_a_hidden_branch_is_found_and_shown():
    tree = tree_of("a", "b", "c").add("", turn("x"))
    assert tree.find("c").text == "text c"
    assert [each.id for each in tree.way_to("c")] == ["a", "b", "c"]
    assert shown(tree.show("b")) == ["a", "b", "c"]
    assert (tree.find("?"), tree.way_to("?")) == (None, [])
    with pytest.raises(KeyError):
        tree.delete("?")


def test_edited_turn_keeps_attachments_and_loses_what_made_it():
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    before = Turn("a", {"role": "user", "content": [{"type": "text", "text": "old"}, picture], "items": [{}]}, "model")
    after = before.with_text("new")
    assert after.message == {"role": "user", "content": [{"type": "text", "text": "new"}, picture]}
    assert (after.text, after.preview, after.is_edited, after.model) == ("new", "new [image_url]", True, "")


def test_long_conversation_is_walked_without_recursion():
    tree = tree_of(*map(str, range(3000)))
    tree = tree.delete("1500").with_turn(turn("2999")).start_branch("2998")
    assert len(tree.turns) == 2998
    repr(tree.turns[0])


def message(text):
    return {"role": "user", "content": text}


def followed(tree, *texts):
    ids = itertools.count()
    return follow_messages(tree, [message(text) for text in texts], lambda each, _steps: Turn(f"new{next(ids)}", each))


@pytest.mark.parametrize(
    ("texts", "ids", "ways"),
    [
        (["text a", "text b"], ["a", "b"], (1, 1)),
        (["text a", "text b", "more"], ["a", "b", "new0"], (1, 1)),
        (["text a"], ["a"], (2, 2)),
        (["text a", "other"], ["a", "new0"], (2, 2)),
    ],
    ids=["same", "longer", "shorter", "different"],
)
def test_following_messages_loses_no_turn(texts, ids, ways):
    tree = followed(tree_of("a", "b"), *texts)
    assert (shown(tree), tree.branch("a")) == (ids, ways)
    assert tree.find("b")


def test_following_messages_goes_back_to_a_known_branch():
    tree = tree_of("a", "b").add("a", turn("x"))
    assert shown(followed(tree, "text a", "text b")) == ["a", "b"]
    assert shown(followed(tree)) == []


KINDS = st.sampled_from(["add", "delete", "branch", "switch", "follow", "show"])
ACTIONS = st.lists(st.tuples(KINDS, st.integers(0, 30)))


@given(ACTIONS)
def test_only_delete_loses_turns(actions):
    tree, known, ids = ConversationTree(), [""], itertools.count(1)
    for action, number in actions:
        place = known[number % len(known)]
        before = {each for each in known if each}
        if action == "add":
            known.append(str(next(ids)))
            tree = tree.add(place, turn(known[-1]), show=bool(number % 3))
        elif action == "branch":
            tree = tree.start_branch(place)
        elif action == "switch":
            tree = tree.switch(place, number)
        elif action == "follow":
            wanted = [each.message for each in tree.turns][: number % 5]
            tree = follow_messages(tree, wanted, lambda _: pytest.fail("it is known"))
            assert [each.message for each in tree.turns] == wanted
        elif place and action == "delete":
            tree = tree.delete(place)
            known.remove(place)
            before.remove(place)
        elif place:
            assert place in shown(tree.show(place))
        assert {each for each in before if tree.find(each)} == before
        assert len(set(shown(tree))) == len(tree.turns)
        for after in known:
            now, count = tree.branch(after)
            assert 1 <= now <= count

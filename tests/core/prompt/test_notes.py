"""What is said of a prompt before it is sent."""

from __future__ import annotations

import pytest

from azml_magics.core.prompt.notes import describe_surprises


@pytest.mark.parametrize(
    ("prompt", "way"),
    [
        ("{reply.text}", "Write text = reply.text and {text}."),
        ('{reply["a"]}', 'Write text = reply["a"] and {text}.'),
        ("{reply:.2f}", "Assign its text to a variable."),
        ("{reply!r}", "Assign its text to a variable."),
    ],
)
def test_lookup_on_a_variable_is_said_with_the_way(prompt, way):
    assert describe_surprises(prompt, {"reply": 1}) == [f"{prompt} is sent as written: only a name is filled in. {way}"]


def test_variable_in_latex_index_is_said():
    said = "{city} after _ or ^ is sent as written, as in LaTeX. Assign the whole word to a variable instead."
    assert describe_surprises("file_{city} x_{i}", {"city": 1, "i": 1}) == [said]


@pytest.mark.parametrize("prompt", ["{other.text}", "{{reply.text}}", "{reply}", "{a.b}", '{"reply": 1}', "plain"])
def test_nothing_is_said_of_other_braces(prompt):
    assert describe_surprises(prompt, {"reply": 1, "a": 1}, ["a.b"]) == []


def test_shortened_value_is_said():
    class Tensor:
        size = 4000

        def __str__(self):
            return "tensor([0, ..., 3999])"

    said = "{t} is a Tensor of 4,000 values, and its str() leaves some out. Assign its whole text first."
    assert describe_surprises("{t}", {"t": Tensor()}) == [said]

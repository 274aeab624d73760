"""Content blocks of every generation become the parts of a chat request."""

from __future__ import annotations

import pytest

from azml_magics.core.errors import PromptError
from azml_magics.langchain.content_blocks import to_content_parts

URL = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}
DATA_URL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}}
PDF = {"type": "file", "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,QUJD"}}


def part_of(block):
    """The one part that a block becomes; a text beside it keeps the content a list."""
    first, made = to_content_parts([{"type": "text", "text": "Look:"}, block])
    assert first == {"type": "text", "text": "Look:"}
    return made


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (URL, URL),
        ({"type": "image_url", "image_url": "https://example.org/cat.png"}, URL),
        ({"type": "image", "url": "https://example.org/cat.png"}, URL),
        ({"type": "image", "source_type": "url", "url": "https://example.org/cat.png"}, URL),
        ({"type": "image", "source": {"type": "url", "url": "https://example.org/cat.png"}}, URL),
        ({"type": "image", "base64": "QUJD", "mime_type": "image/png"}, DATA_URL),
        ({"type": "image", "source_type": "base64", "data": "QUJD", "mime_type": "image/png"}, DATA_URL),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}, DATA_URL),
    ],
    ids=["wire", "wire, url as text", "1.x url", "0.3 url", "Anthropic url", "1.x data", "0.3 data", "Anthropic data"],
)
def test_image_block_of_any_version_becomes_image_url(block, part):
    assert part_of(block) == part


def test_image_detail_is_kept():
    assert part_of({"type": "image", "url": "https://e.org/c.png", "extras": {"detail": "low"}}) == {
        "type": "image_url",
        "image_url": {"url": "https://e.org/c.png", "detail": "low"},
    }


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (SOUND, SOUND),
        ({"type": "audio", "base64": "QUJD", "mime_type": "audio/wav"}, SOUND),
        ({"type": "audio", "source_type": "base64", "data": "QUJD", "mime_type": "audio/x-wav"}, SOUND),
        (
            {"type": "audio", "base64": "QUJD", "mime_type": "audio/mpeg"},
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
        ),
        (
            {"type": "audio", "url": "https://example.org/a.mp3"},
            {"type": "audio_url", "audio_url": {"url": "https://example.org/a.mp3"}},
        ),
        (
            {"type": "video", "url": "https://example.org/v.mp4"},
            {"type": "video_url", "video_url": {"url": "https://example.org/v.mp4"}},
        ),
        ({"type": "file", "base64": "QUJD", "mime_type": "application/pdf"}, PDF),
        ({"type": "file", "source_type": "base64", "data": "QUJD", "mime_type": "application/pdf"}, PDF),
        (PDF, PDF),
        ({"type": "file", "file_id": "file-1"}, {"type": "file", "file": {"file_id": "file-1"}}),
        ({"type": "file", "source_type": "id", "id": "file-1"}, {"type": "file", "file": {"file_id": "file-1"}}),
        ({"type": "text-plain", "text": "notes"}, {"type": "text", "text": "notes"}),
        ({"type": "file", "source_type": "text", "text": "notes"}, {"type": "text", "text": "notes"}),
        ({"type": "non_standard", "value": {"type": "mine", "x": 1}}, {"type": "mine", "x": 1}),
        ({"type": "mine", "x": 1}, {"type": "mine", "x": 1}),
        ("plain text", {"type": "text", "text": "plain text"}),
        (
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}, "index": 0},
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}},
        ),
    ],
)
def test_other_blocks_become_content_parts(block, part):
    assert part_of(block) == part


def test_file_keeps_its_name():
    named = {"type": "file", "base64": "QUJD", "mime_type": "application/pdf", "extras": {"filename": "cv.pdf"}}
    assert part_of(named)["file"]["filename"] == "cv.pdf"


def test_single_text_block_becomes_text():
    assert to_content_parts("as it is") == "as it is"
    assert to_content_parts([{"type": "text", "text": "one"}]) == "one"
    assert to_content_parts(["one", "two"]) == [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]


def test_assistant_texts_are_joined_without_calls_and_reasoning():
    said = [
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "thinking", "thinking": "hm", "signature": "x"},
        {"type": "text", "text": "Let me "},
        {"type": "tool_use", "id": "1", "name": "f", "input": {}},
        {"type": "text", "text": "look."},
    ]
    assert to_content_parts(said, spoken=True) == "Let me look."


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"type": "image", "base64": "QUJD"}, "an image needs a url, or base64 with a mime_type"),
        ({"type": "image", "file_id": "1"}, "an image needs"),
        ({"type": "audio"}, "audio needs"),
        ({"type": "video"}, "a video needs"),
        ({"type": "file"}, "a file needs a url, base64"),
        ({"type": "text-plain"}, "needs its text"),
        ({"type": "non_standard", "value": 3}, "needs a dict under value"),
        ({"text": "no type"}, "a dict without a type"),
        (7, "holds int"),
    ],
)
def test_unsendable_block_raises_prompt_error(block, said):
    with pytest.raises(PromptError) as caught:
        to_content_parts(["Look:", block])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)

"""-i: an image, a PDF or a sound from a path, a URL or the notebook becomes a content part."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from IPython.display import Audio, Image

from azml_magics.core.errors import UsageError
from azml_magics.core.prompt.attachments import part_of

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
JPEG = b"\xff\xd8\xff\xe0rest"
GIF = b"GIF89arest"
WEBP = b"RIFF\x10\x00\x00\x00WEBPrest"


def url_of(image):
    part = part_of(image)
    assert part["type"] == "image_url"
    return part["image_url"]["url"]


def data_url(kind, data):
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


class PilLike:
    """What a PIL image does."""

    def save(self, file, **keywords):
        assert keywords == {"format": "PNG"}
        file.write(PNG)


class FigureLike:
    """What a matplotlib figure does."""

    def savefig(self, file, **keywords):
        assert keywords == {"format": "png", "bbox_inches": "tight"}
        file.write(PNG)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (PNG, data_url("png", PNG)),
        (bytearray(PNG), data_url("png", PNG)),
        (JPEG, data_url("jpeg", JPEG)),
        (GIF, data_url("gif", GIF)),
        (WEBP, data_url("webp", WEBP)),
        (PilLike(), data_url("png", PNG)),
        (FigureLike(), data_url("png", PNG)),
        (Image(data=PNG), data_url("png", PNG)),
        (Image(url="https://h.example/cat.png"), "https://h.example/cat.png"),
        ("https://h.example/cat", "https://h.example/cat"),
        ("http://h.example/cat.png", "http://h.example/cat.png"),
        (data_url("png", PNG), data_url("png", PNG)),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value[:22],
)
def test_image_objects_become_urls(given, url):
    assert url_of(given) == url


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.png", PNG, "png"),
        ("a.jpg", JPEG, "jpeg"),
        ("a.webp", WEBP, "webp"),
        ("really-a-jpeg.png", JPEG, "jpeg"),
        ("no-suffix", PNG, "png"),
        ("a.bmp", b"BMrest", "bmp"),
    ],
)
def test_file_type_from_bytes_or_name(tmp_path, name, data, kind):
    (tmp_path / name).write_bytes(data)
    assert url_of(str(tmp_path / name)).startswith(f"data:image/{kind};base64,")
    assert url_of(tmp_path / name) == url_of(str(tmp_path / name))


def test_home_folder_is_expanded():
    (Path.home() / "a.png").write_bytes(PNG)
    assert url_of("~/a.png") == data_url("png", PNG)


class Broken:
    def save(self, file, **keywords):
        raise OSError("cannot write mode F\nas PNG")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("nowhere.png", "The file nowhere.png cannot be read: No such file or directory."),
        (".", "The file . cannot be read: Is a directory."),
        ("a\0b.png", "cannot be read"),
        ("", "The file . cannot be read"),
        (b"plain", "The attachment is bytes that are not a PNG, JPEG, GIF or WebP image"),
        (b"RIFF\x10\x00\x00\x00AVI ", "The attachment is bytes that are not a PNG"),
        (b"", "The attachment is bytes that are not a PNG"),
        (42, "No image can be made of int."),
        (None, "No image can be made of NoneType."),
        ([PNG], "No image can be made of list."),
        (Broken(), "No image can be made of Broken: OSError: cannot write mode F as PNG."),
    ],
    ids=repr,
)
def test_other_objects_are_refused_in_one_line(given, why, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as refused:
        url_of(given)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


PDF, WAV, MP3 = b"%PDF-1.4", b"RIFF\x10\x00\x00\x00WAVE", b"ID3rest"


def b64(data):
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("name", "data", "part"),
    [
        ("a.pdf", PDF, {"file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{b64(PDF)}"}}),
        ("a.wav", WAV, {"input_audio": {"data": b64(WAV), "format": "wav"}}),
        ("a.mp3", MP3, {"input_audio": {"data": b64(MP3), "format": "mp3"}}),
        ("b.mp3", b"odd", {"input_audio": {"data": b64(b"odd"), "format": "mp3"}}),
    ],
)
def test_pdf_and_sound_become_parts_of_their_own(tmp_path, name, data, part):
    (tmp_path / name).write_bytes(data)
    (kind,) = part
    assert part_of(tmp_path / name) == {"type": kind, **part}


def test_bytes_and_urls_of_files_are_told_apart():
    assert part_of(WAV)["type"] == part_of(Audio(data=WAV))["type"] == "input_audio"
    assert part_of(PDF)["file"]["filename"] == "document.pdf"
    assert part_of(f"data:audio/mpeg;base64,{b64(MP3)}")["input_audio"] == {"data": b64(MP3), "format": "mp3"}
    url = "https://h.example/a%20b.pdf?sig=x"
    assert part_of(url) == {"type": "file", "file": {"filename": "a b.pdf", "file_data": url}}


def test_text_file_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("cat")
    with pytest.raises(UsageError, match=r"notes\.txt is not an image"):
        url_of(tmp_path / "notes.txt")


# ---- in a cell -------------------------------------------------------------------------------------------------


def test_image_is_added_as_content_part(asking, last_body, tmp_path):
    (tmp_path / "my cat.png").write_bytes(PNG)
    ran = asking.ok("%%azureml -i 'my cat.png'\nWhat is in the picture?")
    assert last_body()["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is in the picture?"},
                {"type": "image_url", "image_url": {"url": data_url("png", PNG)}},
            ],
        }
    ]
    assert f"Received an image (image/png, {len(PNG)} bytes)" in ran.text


def test_several_images_keep_their_order(asking, last_body):
    asking.vars.update(figure=FigureLike(), raw=JPEG)
    asking.ok("%%azureml -s 'Be brief.' -i $figure --image https://h.example/cat.png -i $raw\nCompare them")
    system, user = last_body()["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    urls = [part["image_url"]["url"] for part in user["content"][1:]]
    assert urls == [data_url("png", PNG), "https://h.example/cat.png", data_url("jpeg", JPEG)]


def test_history_and_template_use_the_text(asking, last_body):
    asking.ok("from langchain_core.prompts import PromptTemplate\nt = PromptTemplate.from_template('Say {what}')")
    asking.vars["raw"] = PNG
    asking.ok("%%azureml -i $raw -t $t\nhello")
    assert last_body()["messages"][0]["content"][0] == {"type": "text", "text": "Say hello"}
    assert asking.ok("%azureml history").result.rows[0][2] == "Say hello [image_url]"


@pytest.mark.parametrize("formatter", ["gpt2", "dolly", "hf"])
def test_text_only_formatter_refuses_image_before_sending(asking, endpoint, formatter):
    asking.vars["raw"] = PNG
    line = asking.refused(f"%%azureml -u {endpoint.url}/score -f {formatter} -i $raw\nWhat is this?")
    assert "This formatter sends text only, and the prompt has a part of type 'image_url'" in line
    assert "-f openai-chat" in line
    assert len(endpoint.requests) == 0


@pytest.mark.parametrize(
    ("image", "why"),
    [("$nothing", "There is no variable 'nothing' for $nothing"), ("nothing.png", "nothing.png cannot be read")],
)
def test_missing_image_stops_the_cell(asking, endpoint, image, why):
    assert why in asking.refused(f"%%azureml -i {image}\nWhat is this?")
    assert len(endpoint.requests) == 0


def test_side_by_side_takes_images(asking, endpoint):
    asking.vars["raw"] = PNG
    asking.ok("%%azureml -n 2 -i $raw\nWhat is this?")
    assert [len(request.json()["messages"][0]["content"]) for request in endpoint.requests] == [2, 2]

"""The attachments of the panel's prompt: what is sent, what a cell names, and what is said of files that do not fit."""

from __future__ import annotations

import base64
import json

import pytest

from azml_magics.panel.model.attachment import restored_attachments, uploaded_attachment
from azml_magics.panel.model.attachment_preview import make_preview
from azml_magics.panel.model.estimates import estimate_prompt

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
PDF = b"%PDF-1.7 text"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The notebook's folder, with a picture."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cat.png").write_bytes(PNG)
    return tmp_path


@pytest.fixture
def sent(endpoint):
    """A function: the parts of the last message that the endpoint received."""
    return lambda: json.loads(endpoint.requests[-1].body)["messages"][-1]["content"]


def note(model):
    return model.notes["attachments"].text


def run(model):
    model.runs.run()
    assert model.worker.wait(60)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("cat.png", ("cat.png · PNG · 70 B", "cat.png")),
        (" ./cat.png ", ("cat.png · PNG · 70 B", "./cat.png")),
        ("![a cat](cat.png)", ("cat.png · PNG · 70 B", "cat.png")),
        ("![](<cat.png>)", ("cat.png · PNG · 70 B", "cat.png")),
        ("$picture", ("$picture · PNG · 70 B", "'$picture'")),
        ("https://h.example/a/dog.jpg?x=1", ("dog.jpg · URL", "'https://h.example/a/dog.jpg?x=1'")),
        (PNG_URL, ("data: URL · PNG · 70 B", f"'{PNG_URL}'")),
    ],
    ids=["path", "folder", "markdown", "markdown-brackets", "variable", "url", "data"],
)
def test_typed_attachment_is_sent_and_named_in_the_cell(ready, variables, sent, typed, shown):
    label, word = shown
    variables["picture"] = PNG
    assert ready.attachments.add(typed)
    assert [each.label for each in ready.attachments.items] == [label]
    assert ready.build_cell() == (f"%%azureml main -i {word}\nTell me about rivers", "")
    run(ready)
    text, picture = sent()
    assert text == {"type": "text", "text": "Tell me about rivers"}
    assert picture["image_url"]["url"] == (typed if "://" in typed else PNG_URL)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "There is nothing to attach. Type a path, a URL, or $name for a variable."),
        ("none.png", "The file none.png cannot be read: No such file or directory. Check the path."),
        ("note.txt", "note.txt is not an image, a PDF or a sound that models take. Give a .png"),
        ("$nothing", "The attachment $nothing is not defined. Define it in the notebook."),
        ("$number", "No image can be made of int. Give a path, a URL, bytes"),
    ],
)
def test_what_cannot_be_attached_is_said_and_nothing_is_lost(ready, variables, folder, typed, said):
    variables["number"] = 42
    (folder / "note.txt").write_text("text")
    ready.attachments.add("cat.png")
    assert not ready.attachments.add(typed)
    assert note(ready).startswith(said)
    assert ready.notes["attachments"].mood == "bad"
    assert [each.name for each in ready.attachments.items] == ["cat.png"]


def test_file_is_read_when_it_is_sent(ready, folder, sent):
    ready.attachments.add("cat.png")
    (folder / "cat.png").write_bytes(b"\xff\xd8\xff new")
    run(ready)
    assert sent()[1]["image_url"]["url"].startswith("data:image/jpeg;")
    (folder / "cat.png").unlink()
    ready.runs.run()
    assert ready.notes["run"].text.startswith("The file cat.png cannot be read")


def test_estimate_reads_no_file(ready, folder):
    ready.attachments.add("cat.png")
    before = estimate_prompt(ready, ready.filled_config()).tokens
    (folder / "cat.png").unlink()
    assert estimate_prompt(ready, ready.filled_config()).tokens == before


def test_uploaded_files_are_sent_in_their_order(ready, sent):
    ready.attachments.upload([("a.pdf", PDF), ("b.png", PNG)])
    ready.attachments.add("cat.png")
    ready.attachments.move_up(2)
    assert [each.name for each in ready.attachments.items] == ["a.pdf", "cat.png", "b.png"]
    ready.attachments.move_up(0)
    run(ready)
    assert [part["type"] for part in sent()] == ["text", "file", "image_url", "image_url"]
    assert sent()[1]["file"]["filename"] == "a.pdf"
    ready.attachments.remove(0)
    assert [each.name for each in ready.attachments.items] == ["cat.png", "b.png"]


def test_one_wrong_file_does_not_stop_the_others(ready):
    ready.attachments.upload([("a.png", PNG), ("b.exe", b"MZ"), ("c.png", PNG)])
    assert [each.name for each in ready.attachments.items] == ["a.png", "c.png"]


def test_wrong_upload_is_said(ready):
    ready.attachments.upload([("b.exe", b"MZ")])
    assert note(ready).startswith("b.exe is not an image, a PDF or a sound that models take.")


def test_cell_says_that_an_upload_has_to_be_saved(ready, folder):
    ready.attachments.upload([("my cat.png", PNG)])
    cell = ready.build_cell()
    assert cell.text.startswith("%%azureml main -i 'my cat.png'\n")
    assert cell.note == "Save uploads before you run the cell: only the panel has my cat.png."
    ready.attachments.save_uploads()
    assert note(ready) == f"Saved my cat.png in {folder}."
    assert (folder / "my cat.png").read_bytes() == PNG
    assert ready.build_cell() == ("%%azureml main -i 'my cat.png'\nTell me about rivers", "")
    assert not ready.attachments.has_unsaved


def test_saving_uploads_overwrites_no_file(ready, folder):
    (folder / "b.png").write_bytes(b"other")
    ready.attachments.upload([("b.png", PNG), ("cat.png", PNG), ("../../x.png", PNG)])
    ready.attachments.save_uploads()
    assert [each.source for each in ready.attachments.items] == ["b-2.png", "cat.png", "x.png"]
    assert (folder / "b.png").read_bytes() == b"other"


@pytest.mark.parametrize("name", ["-x.png", "$x.png", "~x.png", "a/../b.png", "a\nb.png", "", "..."])
def test_uploaded_name_becomes_a_plain_file_name(ready, folder, name):
    ready.attachments.upload([(name, PNG)])
    ready.attachments.save_uploads()
    (saved,) = ready.attachments.items
    assert (folder / saved.source).parent == folder
    assert saved.source[0] not in "-$~."
    assert (folder / saved.source).read_bytes() == PNG


def test_folder_that_cannot_be_written_is_said(ready, monkeypatch, folder):
    ready.attachments.upload([("b.png", PNG)])
    gone = folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    ready.attachments.save_uploads()
    assert note(ready).startswith("b.png cannot be written:")
    assert ready.attachments.has_unsaved


def test_large_file_is_sent_with_a_warning(ready, folder):
    (folder / "large.png").write_bytes(PNG + bytes(20_000_000))
    assert ready.attachments.add("large.png")
    assert note(ready) == "large.png has 20.0 MB: many endpoints refuse more than 20 MB."


def test_file_too_large_for_the_browser_is_refused_in_a_line(ready):
    ready.attachments.refuse_large("photo.png", 20_100_000, 8_000_000)
    assert note(ready) == (
        "photo.png has 20.1 MB, and the browser can send 8.0 MB at once. "
        "Put the file beside the notebook and type its path."
    )


def test_path_that_looks_like_an_option_is_tied_to_it(ready, folder):
    (folder / "-x.png").write_bytes(PNG)
    ready.attachments.add("-x.png")
    assert ready.build_cell().text.startswith("%%azureml main --image=-x.png\n")


def test_several_responses_get_the_attachments_too(ready, endpoint):
    ready.attachments.add("cat.png")
    ready.runs.compare(repeats=2)
    assert ready.worker.wait(60)
    bodies = [json.loads(request.body)["messages"][-1]["content"] for request in endpoint.requests[-2:]]
    assert [[part["type"] for part in body] for body in bodies] == [["text", "image_url"]] * 2


def test_attachments_go_with_their_turn_of_a_conversation(ready, sent):
    ready.conversation.open("trip")
    ready.attachments.add("cat.png")
    run(ready)
    assert ready.attachments.items == ()
    assert ready.conversation.tree.turns[0].preview == "Tell me about rivers [image_url]"
    question = ready.conversation.tree.turns[0]
    ready.conversation.edit(question.id, "What is it?")
    ready.runs.retry(question.id)
    assert ready.worker.wait(60)
    assert [part["type"] for part in sent()] == ["text", "image_url"]


def test_version_brings_its_attachments_back(ready, sent):
    ready.attachments.add("cat.png")
    ready.attachments.upload([("b.pdf", PDF)])
    run(ready)
    assert not ready.is_result_stale
    ready.attachments.remove(0)
    assert ready.is_result_stale
    ready.runs.prompts.clear()  # as after a restart of the kernel
    ready.versions.restore(ready.versions.entries()[0].id)
    assert [(each.name, each.source) for each in ready.attachments.items] == [("cat.png", "cat.png"), ("b.pdf", "")]
    assert ready.prompt.text == "Tell me about rivers"
    run(ready)
    assert [part["type"] for part in sent()] == ["text", "image_url", "file"]
    ready.attachments.remove(1)
    (difference,) = ready.versions.differences_from_controls(ready.versions.entries()[0].id)
    assert (difference.part, difference.before, difference.after) == ("attachments", "cat.png\nb.pdf", "cat.png")


def test_attachments_of_a_cell_come_back_without_names(session, ready, chat):
    part = {"type": "image_url", "image_url": {"url": PNG_URL}}
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    content = [{"type": "text", "text": "What?"}, part, sound]
    session.record(chat, [{"role": "user", "content": content}])
    ready.versions.restore(ready.versions.entries()[0].id)
    labels = [each.label for each in ready.attachments.items]
    assert labels == ["attachment 1 · PNG · 70 B", "attachment 2 · WAV · 3 B"]


@pytest.mark.parametrize("named", [None, "x", [], [["a", "b"]], [["a"], ["b"]], [[1, 2], [3, 4]], [1, 2]])
def test_notes_of_another_form_are_left_out(named):
    part = {"type": "image_url", "image_url": {"url": PNG_URL}}
    restored = restored_attachments([part, part], named)
    assert [(each.name, each.source) for each in restored] == [("attachment 1", ""), ("attachment 2", "")]


def test_preview_is_a_small_picture_or_nothing():
    assert uploaded_attachment("cat.png", PNG).preview == PNG_URL
    assert uploaded_attachment("a.pdf", PDF).preview == ""
    assert uploaded_attachment("large.png", PNG + bytes(100_000)).preview[:22] in {"", "data:image/jpeg;base64"}
    for url in ("data:image/svg+xml;base64,AAAA", 'data:image/png;base64,"onerror=x', "https://h.example/x.png", 7):
        assert make_preview({"type": "image_url", "image_url": {"url": url}}) == ""


def test_repr_has_no_contents():
    assert PNG_URL[30:60] not in repr(uploaded_attachment("cat.png", PNG))

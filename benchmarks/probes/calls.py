"""One call at a time over TLS, kept alive where the client can: every contender against a raw httpx post.

python calls.py BASE_URL [--calls N] [--only A,B]
"""

from __future__ import annotations

import argparse
import logging
from typing import TYPE_CHECKING, Any

from contenders import KEY, PROMPT, community_llm, our_config, our_llm
from measuring import interleaved, report

if TYPE_CHECKING:
    from collections.abc import Callable


def raw_httpx(url: str) -> Callable[[], Any]:
    import httpx

    client = httpx.Client()
    body = {"input_data": {"input_string": [PROMPT]}, "parameters": {}}
    headers = {"Authorization": f"Bearer {KEY}"}
    return lambda: client.post(f"{url}/score", json=body, headers=headers).json()[0]


def core(url: str) -> Callable[[], Any]:
    from azml_magics.core.client import invoke

    config = our_config(url)
    return lambda: invoke(config, PROMPT).text


def openai_sdk(url: str) -> Callable[[], Any]:
    import openai

    client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY)
    ask = client.chat.completions.create
    return lambda: ask(model="bench", messages=[{"role": "user", "content": PROMPT}]).choices[0].message.content


def azure_ai_inference(url: str) -> Callable[[], Any]:
    from azure.ai.inference import ChatCompletionsClient
    from azure.core.credentials import AzureKeyCredential

    logging.getLogger("azure").setLevel(logging.ERROR)
    client = ChatCompletionsClient(f"{url}/v1", AzureKeyCredential(KEY))
    return lambda: client.complete(messages=[{"role": "user", "content": PROMPT}]).choices[0].message.content


def invoked(llm: Any) -> Callable[[], Any]:
    return lambda: llm.invoke(PROMPT)


CONTENDERS: dict[str, Callable[[str], Callable[[], Any]]] = {
    "httpx": raw_httpx,
    "core": core,
    "llm": lambda url: invoked(our_llm(url)),
    "community": lambda url: invoked(community_llm(url)),
    "openai": openai_sdk,
    "azure-ai-inference": azure_ai_inference,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--only", help="some of the contenders, separated by commas")
    asked = parser.parse_args()
    url = asked.url
    chosen = asked.only.split(",") if asked.only else CONTENDERS
    contenders = {name: CONTENDERS[name](url) for name in chosen}
    answers = {name: work() for name, work in contenders.items()}
    assert len(set(answers.values())) == 1, answers
    report(**interleaved(contenders, asked.calls))


if __name__ == "__main__":
    main()

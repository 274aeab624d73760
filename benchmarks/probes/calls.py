"""One call at a time over TLS, variables alive where the client can: every client against a raw httpx post.

python calls.py BASE_URL [--calls N] [--only A,B]
"""

from __future__ import annotations

import argparse
import logging
from typing import TYPE_CHECKING, Any

from clients import KEY, PROMPT, community_llm, our_config, our_llm
from measuring import report, time_in_turn

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
    create = client.chat.completions.create
    return lambda: create(model="bench", messages=[{"role": "user", "content": PROMPT}]).choices[0].message.content


def azure_ai_inference(url: str) -> Callable[[], Any]:
    from azure.ai.inference import ChatCompletionsClient
    from azure.core.credentials import AzureKeyCredential

    logging.getLogger("azure").setLevel(logging.ERROR)
    client = ChatCompletionsClient(f"{url}/v1", AzureKeyCredential(KEY))
    return lambda: client.complete(messages=[{"role": "user", "content": PROMPT}]).choices[0].message.content


def invoke_llm(llm: Any) -> Callable[[], Any]:
    return lambda: llm.invoke(PROMPT)


CLIENTS: dict[str, Callable[[str], Callable[[], Any]]] = {
    "httpx": raw_httpx,
    "core": core,
    "llm": lambda url: invoke_llm(our_llm(url)),
    "community": lambda url: invoke_llm(community_llm(url)),
    "openai": openai_sdk,
    "azure-ai-inference": azure_ai_inference,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--only", help="some of the clients, separated by commas")
    args = parser.parse_args()
    url = args.url
    chosen = args.only.split(",") if args.only else CLIENTS
    clients = {name: CLIENTS[name](url) for name in chosen}
    responses = {name: work() for name, work in clients.items()}
    assert len(set(responses.values())) == 1, responses
    report(**time_in_turn(clients, args.calls))


if __name__ == "__main__":
    main()

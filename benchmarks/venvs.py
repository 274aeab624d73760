"""The virtual environments of the clients: made once, beside the checkout, and variables.

ours      this checkout and its dependencies, as a user installs it
peers     this checkout beside langchain-community, the SDKs and the bare HTTP clients
ai-v2     jupyter-ai-magics 2, with the provider that it needs to reach an OpenAI-like server
ai-v3     jupyter-ai's magics of version 3
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
FOLDER = CHECKOUT / ".venv-bench"
HERE = ["-e", str(CHECKOUT)]
PEERS = [
    "langchain-community>=0.4",
    "openai>=2",
    "azure-ai-inference",
    "aiohttp>=3.9",
    "httpx>=0.27",
    "opentelemetry-sdk>=1.29",
]
REQUIREMENTS = {
    "ours": HERE,
    "peers": [*HERE, *PEERS],
    "ai-v2": ["jupyter-ai-magics>=2.31,<3", "langchain-openai"],
    "ai-v3": ["jupyter-ai-magic-commands"],
}


def environment() -> dict[str, str]:
    """The environment variables of a probe: those of this process without any that change the measurement."""
    variables = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "AZUREML_ENDPOINT_URL", "LANGSMITH_TRACING"):
        variables.pop(name, None)
    # LiteLLM downloads its price list when it is loaded, which takes time
    return {**variables, "PYTHONWARNINGS": "ignore", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


def python(name: str) -> Path:
    """The path of the environment's Python."""
    folder = FOLDER / name
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ensure(name: str) -> Path:
    """Make the environment if it is missing or has other requirements; the path of its Python."""
    wanted = "\n".join([sys.version, *REQUIREMENTS[name]])
    made = FOLDER / name / "made-for.txt"
    if not made.exists() or made.read_text() != wanted:
        print(f"Making the environment {name} ...", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER / name], check=True)
        install = [str(python(name)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *REQUIREMENTS[name]], check=True, env=environment())
        made.write_text(wanted)
    return python(name)


def size(name: str) -> tuple[int, float]:
    """The number of packages in the environment, without pip's own, and their size in megabytes."""
    site = next((FOLDER / name).glob("lib/python*/site-packages"), FOLDER / name / "Lib/site-packages")
    own = ("pip", "setuptools", "_distutils_hack", "distutils-precedence")
    packages = [found for found in site.glob("*.dist-info") if not found.name.startswith(own)]
    tops = [top for top in site.iterdir() if not top.name.startswith(own)]
    files = (file for top in tops for file in (top, *top.rglob("*")) if file.is_file())
    return len(packages), sum(file.stat().st_size for file in files) / 1e6

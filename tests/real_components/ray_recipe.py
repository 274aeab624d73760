"""Runs the code of docs/how-to/rows.md for Ray with a real Ray on this machine: its arguments are the page and an URL."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

page, url = sys.argv[1:]
section = Path(page).read_text(encoding="utf-8").partition("## On Ray")[2]
code = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
code = re.sub(r"https://NAME[^\"]*", url, code)
Path("reviews.csv").write_text("review\n" + "\n".join(f"letter {n}" for n in range(40)) + "\n")

import ray  # noqa: E402 - after the page was read: it takes seconds

environment = {"MY_ENDPOINT_KEY": "ray-key-0123456789", "PYTHONPATH": os.environ["PYTHONPATH"]}
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": environment})
exec(compile(code, "docs/how-to/rows.md", "exec"), names := {"__name__": "__main__"})
rows = names["answers"].to_pandas()
names["answers"].count()
out = {"texts": sorted(rows["text"]), "errors": int(rows["error"].notna().sum())}
sys.stdout.write(json.dumps(out) + "\n")
ray.shutdown()

"""What `azml-magics demo` runs: the quickstart, a real small model, or JupyterLab with the tutorials."""

from __future__ import annotations

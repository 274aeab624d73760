"""The pictures of the README and of the documentation, in JupyterLab on the embedded endpoint, light and dark.

`python -m docs.pictures` takes all of them again, `python -m docs.pictures cell panel` those two. It needs what the
browser tests need (CONTRIBUTING.md).
"""

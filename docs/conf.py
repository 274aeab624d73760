"""The documentation: `python docs/build_site.py`, or `sphinx-build -W docs build/site/latest`.

Nothing is fetched, while it is built or when it is read, and no notebook is executed.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for extensions
sys.path.insert(0, str(Path(__file__).parents[1]))

import azml_magics

# ---- the project -----------------------------------------------------------------------------------------------
project = "azml-magics"
author = "The azml-magics authors"
project_copyright = "The azml-magics authors, MIT license"
release = azml_magics.__version__
version = ".".join(release.split(".")[:2])
exclude_patterns = ["images", "*.py", "extensions", "pictures"]
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "extensions.cells",
    "extensions.docstrings",
    "extensions.generated",
    "extensions.notebooks",
    "extensions.theme_images",
]
nitpicky = True  # with -W, a name that cannot be found ends the build
nitpick_ignore_regex = [(r"py:.*", r"(?!azml_magics\.).*")]  # other packages: their documentation is not fetched

# ---- pages and notebooks ---------------------------------------------------------------------------------------
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
smartquotes = False  # text is often to be typed
myst_links_external_new_tab = False
nb_execution_mode = "off"  # the tests run them; here they are shown as saved
nb_ipywidgets_js = {}  # would be loaded from elsewhere
nb_merge_streams = True
nb_mime_priority_overrides = [
    ("html", "application/vnd.jupyter.widget-view+json", None),  # a widget needs a kernel: its text is shown
    ("html", "application/javascript", None),
]
suppress_warnings = [
    "mystnb.unknown_mime_type",  # the response viewer's; the same response is there as Markdown
    "misc.highlighting_failure",  # a cell need not be Python: its colours are all that is missing
]

# ---- the reference from docstrings -----------------------------------------------------------------------------
autodoc_class_signature = "separated"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
maximum_signature_line_length = 88
add_module_names = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# ---- the site --------------------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = "azml-magics"
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["extra.css"]
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": []}
html_theme_options = {
    "navbar_end": ["versions", "theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_nav_level": 1,
    "show_toc_level": 2,
    "search_bar_text": "Search",
}

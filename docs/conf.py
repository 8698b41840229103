"""How Sphinx builds the site: python -m verification.pages."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

project = "npvpg"
author = "the npvpg authors"
copyright = "the npvpg authors, MIT licence"
release = version_of("npvpg")
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "verification.pages.sources",
    "verification.pages.equations",
    "verification.pages.statements",
    "verification.pages.notebooks",
    "verification.pages.api",
]
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
html_math_renderer = "mathml"  # no script, no font: formulas are read offline
html_theme = "furo"
html_title = "npvpg"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sourcelink = False
html_extra_path: list[str] = []
exclude_patterns = ["_static"]
nitpicky = False
keep_warnings = True
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_typehints = "none"  # shapes, units and meaning are in the docstrings
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
suppress_warnings = ["autosectionlabel.*"]

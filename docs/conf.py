"""The site: pages of this folder, the drivers' READMEs and what the code says of itself.

Built without a network; everything that is shown as code is run, here or by tests/docs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

project = "forecast"
author = "The agi-forecast developers"
copyright = author
release = version = metadata.version("agi-forecast")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
exclude_patterns = ["_build"]
nitpicky = True
nitpick_ignore_regex = [
    # Names of other packages: their pages are not at hand, and a build must not need a network.
    (
        "py:.*",
        r"(arviz|builtins|click|collections|date|datetime|importlib|np|numpy|os|pandas|Path|pathlib|pluggy|pt|"
        r"pydantic|pymc|pytensor|pytest|types|typing|xarray|xr)(\..*)?",
    ),
]

# Docstrings are written with single backticks for code, as in Markdown.
default_role = "literal"
napoleon_google_docstring = False
napoleon_use_param = False  # types of parameters are words ("tensor, (bloc, time)"), not links
napoleon_use_rtype = False
# Attributes read like parameters, so that their types are words as well.
napoleon_custom_sections = [("Attributes", "params_style")]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
add_module_names = False
toc_object_entries_show_parents = "hide"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_show_tb = True  # and a warning, which fails the build
nb_execution_timeout = 300
nb_merge_streams = True

# The kernel starts without anybody's settings, and without a word about its own sockets.
_profile = Path(tempfile.mkdtemp(prefix="forecast-docs-")) / "profile_default"
_profile.mkdir()
(_profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n")
os.environ["IPYTHONDIR"] = str(_profile.parent)

html_theme = "pydata_sphinx_theme"
html_title = "forecast"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/logo.svg"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "forecast", "image_light": "_static/logo.svg", "image_dark": "_static/logo.svg"},
    "navbar_align": "left",
    "navigation_with_keys": False,
    "show_nav_level": 1,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "tango",
    "pygments_dark_style": "github-dark",
}
highlight_language = "none"  # equations; every other block names its language
pygments_style = "tango"

# Checked by `-b linkcheck`, which needs a network.
linkcheck_timeout = 20
linkcheck_workers = 4
linkcheck_anchors = False


def resolve_other_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element
) -> nodes.Element | None:
    """Link what is documented under another of its names: ``forecast.run`` for ``forecast.engine.run``.

    What there is, but on no page, is shown without a link; what there is not, Sphinx warns of.
    """
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    target = node["reftarget"]
    documented = [name for name, one in domain.objects.items() if not one.aliased]
    named = [name for name in documented if name.rpartition(".")[2] == target.rpartition(".")[2]]
    if "." in target:
        named = [name for name in named if _found(name) is not None and _found(name) is _found(target)]
    if len(named) == 1:
        return domain.resolve_xref(
            env, node["refdoc"], app.builder, node["reftype"], named[0], node, contnode
        )
    if "." in target:
        return contnode if target.startswith("forecast.") and _found(target) is not None else None
    ours = (module for name, module in sys.modules.items() if name.partition(".")[0] == "forecast")
    return contnode if any(target in vars(module) for module in ours) else None


def _found(name: str) -> Any:
    module, _, last = name.rpartition(".")
    try:
        return getattr(import_module(module), last, None)
    except ImportError:
        return None


def setup(app: Sphinx) -> None:
    """Register what stands above."""
    app.connect("missing-reference", resolve_other_name)

"""How Sphinx makes the book; the notebooks verb puts this file beside its pages."""

project = "Portfolios by a variational autoencoder"
html_title = project
author = copyright = ""
extensions = ["myst_nb"]
exclude_patterns = []

# The pages are the notebooks as they are committed: nothing runs here.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "dollarmath", "html_image"]
myst_heading_anchors = 4
myst_update_mathjax = False
highlight_language = "text"  # of code in reference pages whose language isn't said
suppress_warnings = ["mystnb.unknown_mime_type", "misc.highlighting_failure", "myst.header"]

# Nothing is asked of the network: MathJax lies in the book.
mathjax_path = "tex-svg-full.js"
mathjax_options = {"defer": "defer"}
html_theme = "sphinx_book_theme"
html_theme_options = {"show_navbar_depth": 1, "show_toc_level": 2, "use_download_button": True, "use_fullscreen_button": False}
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_show_copyright = False
html_show_sphinx = False
html_last_updated_fmt = None

"""Sphinx extension: fresh outputs, one public address, pages made from plain notebooks, that need no network.

It works for ``make book`` and for ``jupyter-book build .`` alike.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

from address import HIDDEN, parse_address
from boxes import BoxQuotes, BoxSections, TidyCode
from captions import CaptionFigures
from chapters import ROOT, cache_path, fingerprint
from downloads import offer_executed, offer_launch, write_executed
from scripts import configure_mathjax, copy_mathjax, trim_icons
from typography import KeepTogether
from version_and_minutes import BuildInfo, ChapterMap, TimesByTitle, tell_version
from webp import LighterFigures

ABOUT = "notebooks/about"  # made anew in each build
BUTTONS = ("use_repository_button", "use_issues_button", "use_edit_page_button")


def configure(app: Sphinx, config) -> None:
    """Point the cache to today's fingerprint, and say everywhere where the book is published, if it is."""
    config.nb_execution_cache_path = str(cache_path())
    config.execution_fingerprint = fingerprint()
    config.html_theme_options["extra_footer"] = f"<p>{tell_version()}</p>"
    config.html_theme_options["logo"] = {
        "text": config.html_title
    }  # Jupyter Book knows no such setting
    address = parse_address(config.html_theme_options["repository_url"])
    config.notfound_urls_prefix = address.path
    if address.is_set:
        config.html_theme_options["use_source_button"] = True  # Jupyter Book knows no such setting
        config.html_baseurl = config.ogp_site_url = address.pages
        config.ogp_image = f"{address.pages}_static/paradox.png"
    else:
        config.html_theme_options |= {**dict.fromkeys(BUTTONS, False), "launch_buttons": {}}
        app.connect("html-page-context", leave_out_preview, priority=900)
        app.connect("build-finished", tell_address)


def leave_numbers_to_captions(app: Sphinx, config) -> None:
    """Figures are numbered by chapter; Jupyter Book would count those of the whole book as well."""
    config.numfig = False


def leave_out_thebe(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """It is off, but declares a constant twice."""
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "THEBE_JS_URL" not in str(getattr(script, "attributes", {}).get("body", ""))
    ]


def leave_out_preview(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree
) -> None:
    """A book without an address has none to give for a page or its picture."""
    tags = r'<meta property="og:(?:url|image)\b.*?/>\n'
    context["metatags"] = re.sub(tags, "", context.get("metatags", ""))


def finish_html(app: Sphinx, error: Exception | None) -> None:
    """Put beside the pages, if they were made, what they fetch and offer."""
    if error is None and app.builder.format == "html":
        for step in (copy_mathjax, write_executed, trim_icons):
            step(app)


def tell_address(app: Sphinx, error: Exception | None) -> None:
    """Say what a book without an address lacks, also to those who asked for a quiet build."""
    if error is None and app.builder.name == "html":
        print(f"The book has no address: `make address URL=...` adds {HIDDEN}.")


def write_front_door(app: Sphinx, error: Exception | None) -> None:
    """Let the book's own address lead to its first page, and tell search and previews what that page says."""
    if error is not None or app.builder.name != "html":
        return
    first = app.builder.get_target_uri(app.config.root_doc)
    head = Path(app.outdir, first).read_text(encoding="utf-8").partition("</head>")[0]
    kept = r'<meta (?:property="og:|name="description").*?/>|<title>.*?</title>'
    tags = re.findall(kept + '|<link rel="canonical".*?/>', head)
    refresh = f'<meta http-equiv="refresh" content="0; url={first}" />'
    lines = ['<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8" />', *tags, refresh]
    lines += [f'<p><a href="{first}">{app.config.html_title}</a></p>\n</html>\n']
    Path(app.outdir, "index.html").write_text("\n".join(lines), encoding="utf-8")


def ask_registrar(app: Sphinx, uri: str) -> str | None:
    """Check a DOI where it is registered: publishers refuse robots."""
    doi = uri.partition("https://doi.org/")[2]
    return f"https://doi.org/api/handles/{doi}" if doi else None


def print_as_html(app: Sphinx) -> None:
    """Write the one page of the PDF as the many are written.

    Sphinx forgets all handlers for html as soon as one extension has any for singlehtml.
    """
    handlers = app.registry.translation_handlers
    handlers["singlehtml"] = handlers["html"] | handlers.get("singlehtml", {})


def setup(app: Sphinx) -> dict:
    # Rebuild "env": a new fingerprint, or a page that came or went, makes every page be read again.
    app.add_config_value("execution_fingerprint", "", "env")
    app.add_config_value("toc_text", (ROOT / "_toc.yml").read_text(encoding="utf-8"), "env")
    app.add_directive("build-info", BuildInfo)
    app.add_directive("chapter-map", ChapterMap)
    for transform in (BoxQuotes, BoxSections, TidyCode, CaptionFigures):
        app.add_transform(transform)
    for transform in (KeepTogether, LighterFigures, TimesByTitle):
        app.add_post_transform(transform)
    app.connect("config-inited", configure, priority=1)
    app.connect("builder-inited", configure_mathjax)
    app.connect("config-inited", leave_numbers_to_captions, priority=900)
    app.connect("builder-inited", print_as_html)
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: [ABOUT])
    app.connect("html-page-context", offer_executed, priority=600)
    app.connect("html-page-context", offer_launch, priority=600)
    app.connect("html-page-context", leave_out_thebe, priority=900)
    app.connect("build-finished", finish_html)
    app.connect("build-finished", write_front_door, priority=600)  # over the one of the contents
    app.connect("linkcheck-process-uri", ask_registrar)
    # A higher env_version makes an older build read every page anew.
    return {"version": "1", "env_version": 2, "parallel_read_safe": False}

"""Every page in light and dark, narrow and wide, as axe-core sees it: WCAG 2.2 A and AA, nothing violated.

axe-core comes from npm at set-up (.ci/run puts it into the user's cache); it is no part of the repository.
"""

import os
from pathlib import Path

import pytest
from matrix import target
from scene import absent
from test_previews import PREVIEWS
from test_security import PAGES

from affwire import console
from affwire.console.app_paths import SIGN_IN

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "affwire-axe"
AXE = CACHE / "node_modules" / "axe-core" / "axe.min.js"
PUBLIC = [SIGN_IN, "/apply/{program_id}"]
MISSING = f"no axe-core here: `npm install --prefix {CACHE} axe-core` has the console's pages checked for WCAG"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN = "options => axe.run(document, {...options, resultTypes: ['violations']}).then(found => found.violations.map(one => [one.id, one.nodes.map(node => node.html + ' ' + node.failureSummary)]))"
WHOLE = {"runOnly": RULES}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What a theme decides: it changes colours and nothing else, so that every other rule holds in both or in neither."""
LOOKS = ((380, "light", WHOLE), (380, "dark", COLOURS), (1280, "light", WHOLE), (1280, "dark", COLOURS))


@pytest.mark.parametrize("path", [*PUBLIC, *PAGES, *PREVIEWS])
def test_a_page_violates_no_rule(open_tab, scene, path):
    """One visit, looked at four times: the width and the theme change what is there without another load."""
    if not AXE.exists():
        absent(MISSING)
    tab = open_tab(None if path in PUBLIC else "admin", width=LOOKS[0][0])
    tab.go(target(scene, path))
    tab.page.evaluate(AXE.read_text("utf-8"))
    for width, theme, rules in LOOKS:
        tab.page.set_viewport_size({"width": width, "height": 900})
        tab.page.emulate_media(color_scheme=theme)
        assert tab.page.evaluate(_RUN, rules) == [], f"{theme}, {width} px"


def test_a_theme_changes_colours_and_nothing_else():
    """Else the looks above would have to be whole in both themes."""
    style = (Path(console.__file__).parent / "static" / "console.css").read_text("utf-8")
    assert "prefers-color-scheme" not in style
    assert all(line.lstrip().startswith("--") for line in style.splitlines() if "light-dark(" in line)

"""Every page in light and dark, narrow and wide, as axe-core sees it: WCAG 2.2 A and AA, nothing violated.

axe-core comes from npm at set-up (.ci/run puts it into the user's cache); it is no part of the repository.
"""

import os
from pathlib import Path

import pytest
from matrix import target
from scene import absent
from test_security import PAGES

from affwire.console.app_paths import SIGN_IN

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "affwire-axe"
AXE = CACHE / "node_modules" / "axe-core" / "axe.min.js"
MISSING = f"no axe-core here: `npm install --prefix {CACHE} axe-core` has the console's pages checked for WCAG"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN = "rules => axe.run(document, {runOnly: rules}).then(found => found.violations.map(one => [one.id, one.nodes.map(node => node.html + ' ' + node.failureSummary)]))"


@pytest.mark.parametrize("path", [SIGN_IN, "/apply/{program_id}", *PAGES])
@pytest.mark.parametrize("width", [380, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_violates_no_rule(open_tab, scene, path, width, theme):
    if not AXE.exists():
        absent(MISSING)
    tab = open_tab("admin" if path in PAGES else None, theme, width)
    tab.go(target(scene, path))
    tab.page.evaluate(AXE.read_text("utf-8"))
    assert tab.page.evaluate(_RUN, RULES) == []

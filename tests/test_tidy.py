"""The house's own rules, kept by reading the code: floors, purity, who may dial out, size, docstrings, names.

STYLE.md says why each of them is there.
"""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "affwire"
MODULES = sorted(SRC.rglob("*.py"))

FLOORS = "model < rules < dialects < store < services | destinations < engine < api | ingest | console | cli"
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS.split(" < ")) for room in rooms.split(" | ")}
"""console is yet to come; its place is kept."""

READERS = {
    "errors": None,  # anyone
    "world": frozenset(room for room, floor in FLOOR.items() if floor >= FLOOR["store"]) | {"app", "testing"},
    "settings": frozenset({"api", "ingest", "console", "cli", "app"}),
    "plugins": frozenset({"api", "ingest", "console", "cli", "app", "testing", "receiving"}),
    "receiving": frozenset({"__init__"}),
    "app": frozenset({"cli"}),
    "testing": frozenset({"testing"}),
    "__init__": None,
}
"""Who may import what stands outside the floors."""

IMPURE = {"time", "random", "os", "socket", "asyncio", "threading", "sqlite3", "logging"}
IMPURE |= {"subprocess", "pathlib", "io", "tempfile", "shutil", "secrets", "structlog", "sqlalchemy", "multiprocessing"}

DIALLING = {
    "socket",
    "ssl",
    "socketserver",
    "pycurl",
    "aiosmtplib",
    "httpx2",
    "httpx",
    "aiohttp",
    "requests",
    "urllib3",
    "websockets",
}
DIALLING |= {
    "http.client",
    "http.server",
    "urllib.request",
    "smtplib",
    "ftplib",
    "imaplib",
    "poplib",
    "xmlrpc",
    "opentelemetry.exporter",
}
CONNECTS = {"open_connection", "create_connection", "open_unix_connection", "create_unix_connection", "sock_connect"}
NETWORK = DIALLING | {"http", "uvicorn", "asyncio"}

MAY_DIAL = {
    "destinations/": "the one way out",
    "cli/serve.py": "it listens",
    "cli/client.py": "the terminal talks to its operator's own server",
    "cli/demo/": "the demo's receiver, on loopback",
    "testing/": "the kit's receivers, on loopback",
}
MAY_BE_LONG = {
    "store/tables.py": "one declaration per table; the schema is read in one place",
    "store/migrations/versions/": "history is never edited",
}
MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60
DOCSTRING_LINES_MAX = 8


def name(path):
    return path.relative_to(SRC).as_posix()


def room(path):
    return path.relative_to(SRC).parts[0].removesuffix(".py")


@cache
def tree(path):
    return ast.parse(path.read_text("utf-8"))


def imports(path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it, as dotted names."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{name(path)}: imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_read(path) -> set[str]:
    """The rooms and loose modules of affwire that a file imports."""
    parts = (module.split(".") for module in imports(path))
    names = {part[1] for part in parts if part[0] == "affwire" and len(part) > 1}
    return {one if one in FLOOR or one in READERS else "__init__" for one in names}


def within(module, banned) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in banned)


def listed(path, places) -> bool:
    return any(name(path) == place or (place.endswith("/") and name(path).startswith(place)) for place in places)


def may_read(reader, read) -> bool:
    if reader in {read, "testing"} or (reader == "app" and read in FLOOR):
        return True
    if read in READERS:
        return READERS[read] is None or reader in READERS[read]
    if reader in {"plugins", "receiving", "world", "settings", "errors"}:
        highest = {"plugins": "dialects", "receiving": "dialects", "world": "model"}.get(reader)
        return highest is not None and FLOOR[read] <= FLOOR[highest]
    return reader == "__main__" or FLOOR[reader] > FLOOR[read]


def test_a_room_imports_only_rooms_to_its_left():
    wrong = [
        f"{name(path)} imports {read}"
        for path in MODULES
        for read in rooms_read(path)
        if path != SRC / "__init__.py" and not may_read(room(path), read)
    ]
    assert not wrong


def test_neighbours_never_import_each_other():
    assert not may_read("services", "destinations")
    assert not may_read("destinations", "services")
    assert not may_read("cli", "api")
    assert not may_read("engine", "settings")
    assert may_read("engine", "destinations")


def test_the_line_of_floors_is_the_one_in_the_documents():
    assert all(FLOORS in (ROOT / document).read_text("utf-8") for document in ("ARCHITECTURE.md", "STYLE.md"))


def test_the_package_itself_loads_nothing_of_its_own():
    loaded = "import sys, affwire; print(sorted(one for one in sys.modules if one.startswith('affwire.')))"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("pure", ["model", "rules", "dialects"])
def test_pure_rooms_have_no_clock_no_dice_and_no_way_out(pure):
    wrong = [
        f"{name(path)} imports {module}"
        for path in (SRC / pure).rglob("*.py")
        for module in imports(path)
        if within(module, IMPURE | NETWORK)
    ]
    assert not wrong


def test_no_transaction_can_be_held_across_the_network():
    wrong = [
        f"{name(path)} imports {module}"
        for path in MODULES
        if room(path) in {"store", "services"}
        for module in imports(path)
        if within(module, NETWORK) and not (module.startswith("asyncio") and name(path) == "store/store.py")
    ]
    assert not wrong


def test_only_destinations_may_dial_out():
    wrong = [
        f"{name(path)} uses {found}"
        for path in MODULES
        if not listed(path, MAY_DIAL)
        for found in (*(one for one in imports(path) if within(one, DIALLING)), *connects(path))
    ]
    assert not wrong


def connects(path) -> Iterator[str]:
    names = (getattr(node, "attr", getattr(node, "id", None)) for node in ast.walk(tree(path)))
    return (found for found in names if found in CONNECTS)


def test_only_the_guard_seals_a_judged_url():
    places = {name(path) for path in MODULES if "GUARD_SEAL" in path.read_text("utf-8")}
    assert places == {"model/judged.py", "destinations/guard.py"}


def test_every_module_says_in_a_few_lines_what_it_is_for():
    texts = {name(path): ast.get_docstring(tree(path)) or "" for path in MODULES}
    wrong = [place for place, text in texts.items() if not 0 < len(text.splitlines()) <= DOCSTRING_LINES_MAX]
    assert not wrong


def test_every_public_name_has_a_docstring():
    promised = {method.name for path in MODULES for one in classes(path) if is_protocol(one) for method in methods(one)}
    wrong = [
        f"{name(path)}: {label}"
        for path in MODULES
        if not listed(path, ["store/migrations/"])
        for label, node in public(path, promised)
        if not ast.get_docstring(node)
    ]
    assert not wrong


def public(path, promised):
    """Public functions, classes and methods; a method that a Protocol promises has its docstring there."""
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
            yield node.name, node
    for one in classes(path):
        if one.name[0] != "_" and not is_protocol(one):
            yield from ((f"{one.name}.{it.name}", it) for it in methods(one) if it.name not in promised and own(it))


def own(method) -> bool:
    """Whether a method's meaning is this class's own: neither private nor a framework's hook."""
    return method.name[0] != "_" and method.name != "settings_customise_sources"


def classes(path):
    return [node for node in tree(path).body if isinstance(node, ast.ClassDef)]


def methods(node):
    return [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]


def is_protocol(node) -> bool:
    return any(getattr(base, "id", None) == "Protocol" for base in node.bases)


def test_modules_and_functions_stay_small():
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert statistics.median(lengths.values()) <= 160
    long = [path for path in MODULES if lengths[name(path)] > MODULE_LINES_MAX and not listed(path, MAY_BE_LONG)]
    assert not long
    functions = [
        f"{name(path)}: {node.name}"
        for path in MODULES
        if not listed(path, MAY_BE_LONG)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert not functions


def test_names_say_what_a_module_is():
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
    assert not [name(path) for path in MODULES if vague & {part.removesuffix(".py") for part in path.parts}]


def written() -> list[Path]:
    """Every text that people read: code, tests, docs, pins, the build."""
    places = ("src", "tests", "docs", "decisions", "examples", "bench", "requirements", ".ci")
    inside = (path for place in places for path in (ROOT / place).rglob("*") if path.is_file())
    top = (path for path in ROOT.iterdir() if path.is_file() and path.suffix in {".md", ".toml", ""})
    drawn = {"__pycache__", ".png"}
    return [path for path in (*inside, *top) if not drawn & {*path.parts, path.suffix} and path.name != ".git"]


@pytest.mark.parametrize("path", written(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_puts_work_off_or_names_a_machine(path):
    text = path.read_text("utf-8")
    unfinished = re.compile(rf"\b({'TO'}DO|{'FIX'}ME|{'XX'}X)\b")
    hosts = re.compile(rf"{'py'}pi\.org|{'python'}hosted|{'npm'}js\.(org|com)|{'artifact'}ory", re.IGNORECASE)
    machine = re.compile(r"(?<![\w.~/-])/(work|root|home)/\w", re.IGNORECASE)
    found = [one.group() for pattern in (unfinished, hosts, machine) for one in pattern.finditer(text)]
    assert not found

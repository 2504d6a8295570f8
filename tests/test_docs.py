"""The documents say what the code does: generated pieces are compared, everything public is named, commands exist.

To renew the generated pieces after a change: `.venv/bin/python tests/test_docs.py`, and read the diff.
"""

import ast
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from affwire.api.app import create_app
from affwire.api.desk import Desk
from affwire.cli.demo import a1
from affwire.cli.main import app as command_line
from affwire.console import states as shown
from affwire.destinations.guard import Guard, Rules
from affwire.model.events import EVENT_TYPES, OPERATIONAL
from affwire.model.ids import PREFIXES
from affwire.plugins import load_dialects
from affwire.rules.lifecycle import ACCOUNT_STATUSES, DELIVERY, MEMBERSHIP
from affwire.rules.reconciling import DEEDS, TABLE, TIMES
from affwire.services import sources
from affwire.settings import Settings
from affwire.testing.house import MemoryHouse

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "affwire"
PIECE = re.compile(r"(<!-- generated: (?P<name>[\w ]+) -->\n)(?P<text>.*?)(<!-- end -->)", re.DOTALL)
DIALECTS = load_dialects()


def pages() -> list[Path]:
    return [
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "decisions").glob("*.md")),
    ]


def text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def table(*rows) -> str:
    head, *body = [["" if cell is None else str(cell).replace("|", "\\|") for cell in row] for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *body))


def settings() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default in {None, ""} else f"`{field.default}`"
        rows.append((f"`AFFWIRE_{name.upper()}`", default, field.description))
    return table(("variable", "default", "meaning"), *rows)


def promises() -> str:
    policies = {name: dialect.card.policy() for name, dialect in DIALECTS.items()}
    rows = [
        ("success", *(policy.success for policy in policies.values())),
        ("connect, s", *(f"{policy.connect_timeout:g}" for policy in policies.values())),
        ("read, s", *(f"{policy.read_timeout:g}" for policy in policies.values())),
        ("total, s", *(f"{policy.total_timeout:g}" for policy in policies.values())),
        (
            "waits, s",
            *(" ".join(f"{one:g}" for one in policy.retry_schedule) or "none" for policy in policies.values()),
        ),
        ("410 disables", *("yes" if policy.gone_disables else "no" for policy in policies.values())),
        ("endpoints", *(dialect.card.endpoints_max or "many" for dialect in DIALECTS.values())),
        ("dedupe on", *(", ".join(dialect.card.dedupe) for dialect in DIALECTS.values())),
    ]
    return table(("", *policies), *rows)


def card(name: str) -> str:
    found = DIALECTS[name].card
    words = [(f"`{one.name}`", one.meaning, ", ".join(f"`{it}`" for it in one.canonical)) for one in found.words]
    options = [f"- option `{key}` (default `{one.default}`): {one.meaning}" for key, one in found.options.items()]
    lines = [
        f"{found.summary} Source: {found.source}.\n",
        table(("word", "meaning", "may be said for"), *words),
        f"- authentication: {found.authentication.summary}",
        f"- the promise is from: {found.promise.sources}",
        f"- records shown with `?as={name}`: {', '.join(found.objects)}",
        *options,
        *([] if not found.cannot else ["\nIt cannot say:\n", *(f"- {one}" for one in found.cannot)]),
        "\nNotes:\n",
        *(f"- {one}" for one in found.notes),
        *reading(found),
    ]
    return "\n".join(lines) + "\n"


def reading(found) -> list[str]:
    """What is read of a dialect's messages, from its card."""
    if found.inbound is None:
        return []
    fields = [(f"`{path}`", f"`{field}`") for path, field in found.reads.items() if field != "-"]
    envelope = [f"`{path}`" for path, field in found.reads.items() if field == "-"]
    coarse = [
        f"`{field}`: {', '.join(f'{told} as {back}' for told, back in values.items())}"
        for field, values in found.coarse.items()
    ]
    return [
        "\nReading:\n",
        f"- paste the ingest URL in: {found.inbound.paste}",
        f"- authenticity: {AUTHENTICITY[found.authentication.kind]}; dedupe: {found.inbound.dedupe}, on {', '.join(found.dedupe)}",
        *([f"- a signed time may differ by {found.inbound.tolerance} s"] if found.inbound.tolerance else []),
        *([f"- comes back coarser: {'; '.join(coarse)} (`*`: any other)"] if coarse else []),
        f"- means nothing beyond its own request: {', '.join(envelope)}\n",
        table(("in the body", "is"), *fields),
    ]


AUTHENTICITY = {"hmac+time": "signed+time", "hmac": "signed", "bearer": "bearer", "none": "none"}


def events() -> str:
    return table(
        ("event type", "meaning"), *((f"`{name}`", meaning) for name, meaning in {**EVENT_TYPES, **OPERATIONAL}.items())
    )


def diagram(arrows) -> str:
    return (
        "```mermaid\nstateDiagram-v2\n" + "".join(f"    {one} --> {two}: {why}\n" for one, two, why in arrows) + "```\n"
    )


def membership() -> str:
    return diagram(
        (before or "[*]", step.status, f"{action} / {step.event}")
        for before, steps in MEMBERSHIP.items()
        for action, step in steps.items()
    )


def account() -> str:
    first = [("[*]", status, "created") for status in ("pending", "active")]
    between = [
        (one, two, "first activation, or set" if (one, two) == ("pending", "active") else "set")
        for one in ACCOUNT_STATUSES
        for two in ACCOUNT_STATUSES
        if one != two
    ]
    return diagram([*first, *between])


def delivery() -> str:
    first = [("[*]", "pending", "recorded"), ("[*]", "held", "recorded, the endpoint waits")]
    steps = [(one, two, why) for one, nexts in DELIVERY.items() for why, two in nexts.items()]
    return diagram([*first, *steps])


def reconciling() -> str:
    told = {"begins": "it began", "state": "how it is", "ends": "it ended"}
    rows = [
        (state, said, *(f"`{deed}`" for deed in deeds))
        for state, tellings in TABLE.items()
        for said, deeds in tellings.items()
    ]
    return (
        table(
            ("the record is", "the message says", *TIMES),
            *((state, told[said], *deeds) for state, said, *deeds in rows),
        )
        + "\n"
        + table(("deed", "meaning"), *((f"`{deed}`", meaning) for deed, meaning in DEEDS.items()))
    )


def openapi() -> dict:
    house = MemoryHouse()
    return create_app(Desk(house.store, house.dialects, Guard(Rules()), "none", house.world)).openapi()


def routes() -> str:
    rows = []
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            query = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
            rows.append((f"`{method.upper()} {path}`", operation["summary"], " ".join(f"`{one}`" for one in query)))
    return table(("route", "does", "query"), *rows)


def listed() -> str:
    group = typer.main.get_command(command_line)
    rows = []
    for path in commands():
        found = group
        for name in path.split()[1:]:
            found = found.commands[name]
        rows.append((f"`{path}`", found.help.partition("\n")[0]))
    return table(("command", "does"), *rows)


def prefixes() -> str:
    return table(("record", "prefix"), *((kind.replace("_", " "), f"`{prefix}_`") for kind, prefix in PREFIXES.items()))


def states() -> str:
    """Every state that the console shows, as it shows it."""
    kinds = {
        "delivery": shown.DELIVERIES,
        "endpoint": shown.ENDPOINTS,
        "source": shown.SOURCES,
        "message": shown.MESSAGES,
        "mail": shown.MAILS,
        "job": shown.JOBS,
        "membership": shown.MEMBERSHIPS,
        "account": shown.ACCOUNTS,
    }
    rows = [(kind, f"`{name}`", state.meaning) for kind, known in kinds.items() for name, state in known.items()]
    return table(("of a", "is", "meaning"), *rows)


def ways_in() -> str:
    rows = []
    for name, dialect in DIALECTS.items():
        badge = sources.badge(dialect.card, SimpleNamespace(unverified=False))
        worth = f"{badge.colour}: {badge.authenticity}, dedupe {badge.dedupe}"
        rows.append((name, dialect.card.inbound.paste, worth))
    return table(("dialect", "where to paste the URL", "badge"), *rows)


PIECES = {
    **{
        one.__name__: one
        for one in (settings, promises, events, membership, account, delivery, reconciling, routes, prefixes, states)
    },
    "commands": listed,
    "ways in": ways_in,
    **{f"card {name}": lambda name=name: card(name) for name in DIALECTS},
}


def placed() -> list[tuple[Path, str]]:
    return [(page, found["name"]) for page in pages() for found in PIECE.finditer(page.read_text("utf-8"))]


def renewed(written: str) -> str:
    return PIECE.sub(lambda found: f"{found[1]}{PIECES[found['name']]()}{found[4]}", written)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_generated_pieces_are_what_the_code_says(page):
    written = page.read_text("utf-8")
    assert written == renewed(written)


def test_every_generated_piece_has_its_place():
    assert sorted(name for _, name in placed()) == sorted(PIECES)


def test_every_command_is_documented():
    named = text("docs/operations.md")
    missing = [command for command in commands() if f"`{command}" not in named]
    assert not missing


def commands() -> list[str]:
    group = typer.main.get_command(command_line)
    inner = ((name, getattr(command, "commands", {})) for name, command in group.commands.items())
    return [f"affwire {name} {sub}".strip() for name, subs in inner for sub in (subs or [""])]


def errors() -> dict[str, str]:
    """The codes raised in src, and where: the first argument of every error, and what pydantic and the API call theirs."""
    found = {}
    for path in set(SRC.rglob("*.py")) - set((SRC / "testing").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and is_error(node.func):
                codes = (node.args[:1] or [None])[0], *(one.value for one in node.keywords if one.arg == "code")
                found |= {one.value: path.name for one in codes if isinstance(one, ast.Constant) and one.value}
    return found


def is_error(function: ast.expr) -> bool:
    name = getattr(function, "id", "")
    kinds = {"Refused", "NotFound", "Conflict", "Forbidden", "Unauthorized", "TooLarge", "Busy", "NotGenuine"}
    ours = {"Undecodable", "Unencodable", "Broken", "Malformed", "Unsupported", "Unanswered", "PydanticCustomError"}
    return name in kinds | ours or name in {"Problem", "cls"}


def test_every_error_code_is_documented():
    listed = set(re.findall(r"^\| `(\w+)`", text("docs/errors.md"), re.MULTILINE))
    raised = {code for code in errors() if re.fullmatch(r"[a-z_]+", code)}
    assert not raised - listed
    assert not {code for code in listed - raised if f'"{code}"' not in everything() and not code.endswith("_not_found")}


def everything() -> str:
    return "".join(path.read_text("utf-8") for path in SRC.rglob("*.py"))


def test_the_oracle_has_every_row_and_only_words_of_the_dialects():
    rows = [
        line.strip("|").split("|") for line in text("docs/dialects.md").splitlines() if re.match(r"\| \d+\w? \|", line)
    ]
    assert [row[0].strip() for row in rows] == list(a1.ROWS)
    columns = ("growi", "affonso", "rewardful", "insert_affiliate", "tamio")
    for row in rows:
        assert set(re.findall(r"`([\w.]+)`", row[2])) <= set(EVENT_TYPES)
        for name, cell in zip(columns, row[3:], strict=True):
            assert all(DIALECTS[name].card.word(word) for word in re.findall(r"`([\w.-]+)`", cell)), (row[0], name)


def test_the_readme_gives_the_two_commands_and_the_makefile_has_them():
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    promised = re.findall(r"^ {4}(make [a-z]+)", text("README.md"), re.MULTILINE)
    assert promised == ["make demo", "make test"]
    assert {command.removeprefix("make ") for command in promised} <= targets


def test_every_make_target_that_is_mentioned_exists():
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    named = {name for page in pages() for name in re.findall(r"`make ([a-z]+)`", page.read_text("utf-8"))}
    assert named <= targets


def test_every_link_between_the_pages_leads_somewhere():
    links = [
        (page.name, link)
        for page in pages()
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8"))
        if not (page.parent / link).exists()
    ]
    assert not links


def test_every_path_in_the_architecture_exists():
    named = re.findall(r"`((?:src|tests|docs|decisions|examples)/[\w./-]*)`", text("ARCHITECTURE.md"))
    assert named
    assert not [place for place in named if not (ROOT / place).exists()]


def test_the_tree_in_the_architecture_has_every_room():
    rooms = [place.parent.name for place in SRC.glob("*/__init__.py")]
    tree = text("ARCHITECTURE.md").partition("## The tree")[2].partition("\n## ")[0]
    assert [f"{name}/" for name in sorted(rooms)] == sorted(re.findall(r"^ {6}(\w+/)", tree, re.MULTILINE))


def test_the_readme_tells_what_to_dedupe_on_as_the_cards_do():
    rows = [line.strip("|").split("|") for line in text("README.md").splitlines() if line.startswith("| ")]
    told = {row[0].strip(): tuple(re.findall(r"`([^`]+)`", row[2])) for row in rows if row[0].strip() in DIALECTS}
    assert told == {
        name: tuple(one.removeprefix("header ") for one in dialect.card.dedupe) for name, dialect in DIALECTS.items()
    }


def test_every_function_the_architecture_names_is_there():
    named = re.findall(r"`([a-z_]+)\.([a-z_]+)\(\)`", text("ARCHITECTURE.md"))
    assert named
    files = list(SRC.rglob("*.py"))
    lost = [
        f"{module}.{name}"
        for module, name in named
        if not any(
            f"def {name}(" in path.read_text("utf-8") for path in files if module in path.parts or module == path.stem
        )
    ]
    assert not lost


def test_every_decision_says_what_was_chosen_what_was_rejected_and_what_it_costs():
    decisions = sorted((ROOT / "decisions").glob("*.md"))
    assert [page.name[:4] for page in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for page in decisions:
        headings = re.findall(r"^## (.+)$", page.read_text("utf-8"), re.MULTILINE)
        assert headings == ["Context", "Choice", "Rejected", "Cost"], page.name


def test_every_glossary_word_is_there_once():
    words = re.findall(r"^\*\*(.+?)\*\*", text("docs/glossary.md"), re.MULTILINE)
    assert len(words) == len(set(words))
    kinds = {kind.replace("_", " ") for kind in PREFIXES} - {"key", "request"}
    assert kinds <= set(words)


if __name__ == "__main__":
    for page in pages():
        page.write_text(renewed(page.read_text("utf-8")), "utf-8")

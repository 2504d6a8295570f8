"""`affwire users`: a person is added, gets a link and a password, and is sent away."""

import pytest
from typer.testing import CliRunner

from affwire.cli.client import open_client
from affwire.cli.main import app


def run(*arguments, code=0, **more):
    shown = CliRunner().invoke(app, ["users", *arguments], **more)
    assert shown.exit_code == code, shown.output
    return shown


@pytest.fixture
def ada(server, request):
    email = f"{abs(hash(request.node.name))}@example.org"
    run("add", email, "--role", "admin", "--name", "Ada")
    return email


@pytest.mark.slow
def test_a_user_is_added_listed_and_given_a_link(server, ada):
    assert ada in run("list").stdout
    link = run("link", ada).stdout.strip()
    assert link.startswith(f"{server.address}/?token=")


@pytest.mark.slow
def test_roles_passwords_and_ends_are_the_servers_to_judge(server, ada):
    assert "last admin" in run("disable", ada, code=1).stderr
    assert "12 to" in run("password", ada, code=1, input="short\n").stderr
    run("password", ada, input="correct horse battery\n")
    assert server.get(f"/v1/users/{ada}")["has_password"] is True
    other = f"x{ada}"
    run("add", other)
    run("role", other, "editor")
    run("disable", other)
    assert server.get(f"/v1/users/{other}")["disabled_at"]
    run("enable", other)
    assert server.get(f"/v1/users/{other}")["disabled_at"] is None


@pytest.mark.slow
def test_the_operator_asks_with_its_own_key(server):
    run("add", f"op{id(server)}@example.org", "--role", "admin", "--operator")
    assert "operator@localhost" in run("list", "--operator").stdout
    with open_client(operator=True) as client:
        assert all(user["organization_id"] is None for user in client.get("/v1/users")["data"])

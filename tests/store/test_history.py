"""What a list of deliveries looks at, by SQLite's own account of it."""

import pytest
from sqlalchemy import event
from test_outbox import ENDED

from affwire.store.engines.sqlite import open_sqlite
from affwire.store.tables import metadata
from affwire.testing.store_suite import make_tx


@pytest.fixture
def plan(tmp_path):
    """Return how the statement of a page is carried out."""
    engine = open_sqlite(tmp_path / "a.db", make_tx, prepare=metadata.create_all, inline=True)

    def plan(**columns):
        plans = []

        def explain(connection, _cursor, statement, parameters, *_):
            steps = connection.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append("; ".join(step[3] for step in steps))

        def look(tx):
            event.listen(tx.connection, "before_cursor_execute", explain)
            tx.outbox.page("org_1", before=99, limit=5, **columns)

        engine.submit(look).result()
        [only] = plans
        return only

    yield plan
    engine.close()


def is_keyset(plan):
    """Whether nothing is looked through, and nothing sorted. What has yet to follow is a handful of rows, read once."""
    return "SCAN" not in plan.replace("SCAN following", "") and "TEMP B-TREE" not in plan


@pytest.mark.parametrize("status", ENDED)
def test_a_list_of_what_ended_in_one_way_begins_at_what_did(plan, status):
    found = plan(status=status)
    assert found.startswith("SEARCH endings USING INDEX ix_endings_organization_id_status")
    assert is_keyset(found)


def test_lists_of_everything_and_of_one_endpoint_follow_their_index(plan):
    assert plan().startswith("SEARCH deliveries USING INDEX ix_deliveries_organization_id_position")
    assert plan(endpoint_id="ep_1").startswith("SEARCH deliveries USING INDEX ix_deliveries_of_endpoint")
    assert is_keyset(plan())
    assert is_keyset(plan(endpoint_id="ep_1"))


@pytest.mark.parametrize("status", ["pending", "held", "leased"])
def test_a_list_of_what_waits_never_looks_at_history(plan, status):
    found = plan(status=status)
    assert found.startswith(("SEARCH queue", "SCAN queue USING INDEX"))
    assert "SCAN deliveries" not in found
    assert "SCAN endings" not in found

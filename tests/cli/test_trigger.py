from affwire.cli.trigger import ACTIONS
from affwire.model.events import EVENT_TYPES


def test_every_event_type_of_the_registry_can_be_triggered():
    assert set(ACTIONS) == {
        name for name in EVENT_TYPES if name.partition(".")[0] in {"program", "affiliate", "membership"}
    }

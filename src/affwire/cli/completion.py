"""What the shell offers after Tab besides commands and options: names of dialects, and what can be triggered."""
# ruff: noqa: PLC0415 -- imports that cost time stay inside functions: `affwire --help` answers at once


def dialects(incomplete: str) -> list[str]:
    """Return the installed dialects whose names begin so."""
    from affwire.cli.spelling import installed_cards

    return [name for name in installed_cards() if name.startswith(incomplete)]


def words(incomplete: str) -> list[str]:
    """Return the event types and dialects' words that begin so."""
    from affwire.cli.spelling import installed_cards

    every = (word.name for card in installed_cards().values() for word in card.words)
    return sorted({name for name in every if name.startswith(incomplete)})

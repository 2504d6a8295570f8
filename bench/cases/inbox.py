"""The way in: platforms' signed webhooks at the limit and at half of it, a tenth of them repeats, and beside forgeries."""

import inbox
from stage import Stage


def run(stage: Stage) -> None:
    seconds = stage.pick(0.1, 2, 6)
    nothing = inbox.limit("idle", seconds)
    stage.figure("inbox: nothing", nothing)
    for kind, words in (("door", "the door alone"), ("whole", "everything behind it")):
        stage.say(words)
        stage.figure(f"inbox: {words}", inbox.limit(kind, seconds), nothing=nothing)
        rate = stage.pick(200, inbox.RATE_HALF, inbox.RATE_HALF)
        stage.figure(f"inbox: {words}, at {rate}/s", inbox.half(kind, seconds, rate))
    stage.figure("inbox: 10 % repeats", inbox.repeated(seconds), nothing=nothing)
    rates = stage.pick((100, 100), (inbox.RATE_HALF, inbox.FLOOD), (inbox.RATE_HALF, inbox.FLOOD))
    stage.figure("inbox: beside forgeries", inbox.flooded("door", seconds, *rates))

"""The HTTP front: takes an event and has one task delayed per receiver. Runs in Celery's own environment."""

import json
import os
from pathlib import Path
from typing import Any

import redis
import tasks
from fastapi import FastAPI

app = FastAPI()
store = Path(os.environ["BENCH_RECEIVERS"])
receivers = json.loads(store.read_text("utf-8"))
broker = redis.Redis.from_url(os.environ["BENCH_BROKER"])


@app.post("/events", status_code=202)
def take(event: dict[str, Any]) -> dict[str, int]:
    for one in receivers:
        tasks.deliver.delay(one["url"], event, one["retry_s"], one["tries"])
    return {"tasks": len(receivers)}


@app.post("/receivers")
def add(wish: dict[str, Any]) -> dict[str, int]:
    receivers.extend({"url": url, "retry_s": wish["retry_s"], "tries": wish["tries"]} for url in wish["urls"])
    store.write_text(json.dumps(receivers), "utf-8")
    return {"receivers": len(receivers)}


@app.post("/waiting")
def waiting() -> dict[str, int]:
    return {"waiting": broker.llen("celery") + broker.hlen("unacked")}


@app.post("/workers")
def workers() -> dict[str, int]:
    return {"workers": len(tasks.app.control.ping(timeout=0.5))}

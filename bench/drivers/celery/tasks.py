"""The sender: one task a delivery. Runs in Celery's own environment."""

import os

import requests
from celery import Celery

app = Celery("tasks", broker=os.environ["BENCH_BROKER"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_serializer="json",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)
session = requests.Session()
session.verify = os.environ["BENCH_CA_FILE"]
session.trust_env = False
session.mount("https://", requests.adapters.HTTPAdapter(pool_connections=200, pool_maxsize=200))


@app.task(bind=True)
def deliver(self, url, event, retry_s, tries):
    """Send an event to a receiver; what fails is tried again after the same wait."""
    try:
        session.post(url, json=event, timeout=15).raise_for_status()
    except requests.RequestException as error:
        raise self.retry(exc=error, countdown=retry_s, max_retries=tries - 1) from error

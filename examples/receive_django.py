"""Receive Rewardful's webhooks in Django, verified and deduplicated. In a project of yours only the view is needed.

pip install affwire django
WEBHOOK_SECRET=... python examples/receive_django.py 9901
"""

# ruff: noqa: INP001 -- an example is one file
import os
import sys
from wsgiref.simple_server import make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from affwire import NotGenuine, Undecodable, receive

seen: set[str | None] = set()  # yours: a column with a unique constraint


@csrf_exempt
def hooks(request: HttpRequest) -> HttpResponse:
    """Verify the raw body first, answer at once, work afterwards."""
    try:
        message = receive("rewardful", request.headers, request.body, os.environ["WEBHOOK_SECRET"])
    except (NotGenuine, Undecodable) as error:
        return HttpResponse(error.sentence, status=error.http_status)
    if message.dedupe_key not in seen:
        seen.add(message.dedupe_key)
        print(message.event or message.word, message.records.get("affiliate", {}).get("email"), flush=True)  # noqa: T201
    return HttpResponse("received")


urlpatterns = [path("hooks", hooks)]

if __name__ == "__main__":
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"])
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9901
    make_server("127.0.0.1", port, get_wsgi_application()).serve_forever()

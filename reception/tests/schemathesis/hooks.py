"""What schemathesis does not do by itself: to stay signed in as an admin, whatever the calls that it makes up do to logins; and to know
somebody, as calls about nobody are all refused alike.
"""

import json
import os
import random
import urllib.parse
import urllib.request

import schemathesis

ADDRESS, HANDLE, PASSWORD = (os.environ[name] for name in ("ADDRESS", "HANDLE", "PASSWORD"))

# How many of the good calls are about somebody who is there.
KNOWN = 0.5

# After these the access token that was sent may be void.
VOIDS = ("POST /api/me/self-exclusion", "PUT /api/me/play-time", "DELETE /api/sessions", "DELETE /api/sessions/{id}")


class Known:
    """What answers have told."""

    token = None
    refresh = []
    ids = {"people": [], "sanctions": [], "reports": [], "sessions": ["current"]}

    @classmethod
    def learn(cls, told):
        if "refresh" in told:
            cls.refresh.append(told["refresh"])
            # The admin is not among them: nobody is to take the role away.
            if told.get("roles") == []:
                cls.ids["people"].append(told["user"])
                cls.ids["sessions"].append(told["login"])
        elif "room" in told and "words" in told:
            cls.ids["reports"].append(told["id"])
        elif "by" in told and "kind" in told:
            cls.ids["sanctions"].append(told["id"])


def sign_in():
    body = json.dumps({"handle": HANDLE, "password": PASSWORD}).encode()
    request = urllib.request.Request(f"{ADDRESS}/api/sessions", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["token"]


# Less than a head may have (`--http-head-bytes-max`): one that is longer is refused before it is looked at what is asked, as the document says.
LINE_MAX = 8_000


@schemathesis.hook
def filter_case(context, case):
    parts = [*(case.path_parameters or {}).values(), *(case.query or {}).values(), *(case.headers or {}).values()]
    return sum(len(urllib.parse.quote(str(part))) for part in parts) < LINE_MAX


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    def get(self, case, context):
        if Known.token is None:
            Known.token = sign_in()
        return Known.token

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context, case, kwargs):
    if not case.meta or not case.meta.generation.mode.is_positive or random.random() > KNOWN:
        return
    label, body = case.operation.label, case.body
    if label == "POST /api/refresh" and Known.refresh and "token" in body:
        body["token"] = random.choice(Known.refresh[-20:])
    elif label == "POST /api/sessions":
        body.update(handle=HANDLE, password=PASSWORD)
    elif label == "POST /api/reports" and Known.ids["people"]:
        body["user"] = random.choice(Known.ids["people"][-20:])
    for part, ids in Known.ids.items():
        if f"/{part}/{{id}}" in label and ids:
            case.path_parameters["id"] = random.choice(ids[-20:])


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 401 or case.operation.label in VOIDS:
        Known.token = None
    if 200 <= response.status_code < 300 and response.headers.get("content-type") == ["application/json"]:
        Known.learn(response.json())

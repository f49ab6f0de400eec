"""What Schemathesis cannot know from the document: which texts are time zones, which keys are new, which accounts there
are; and what it must leave alone, because others use the same platform. Only what is well formed is changed, so that what is
meant to be wrong stays wrong."""

import itertools
import os
import re
import secrets
import time

import requests
import schemathesis
from hypothesis import strategies as st

schemathesis.openapi.format(
    "iana-time-zone",
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "US/Eastern", "Etc/GMT+5"]),
)
schemathesis.openapi.format("printable-text", st.text("aZ09 .-ä€人", min_size=1).filter(str.strip))

KEY = re.compile(r"[\x21-\x7e]{1,255}")
ETAG = re.compile(r'"[1-9][0-9]{0,17}"')
ACCOUNT = re.compile(r"acct_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Two accounts of this run; the first belongs to the caller.
OURS = os.environ["CONTRACT_ACCOUNTS"].split()
# Data from before this run belongs to others and must not change. A UUIDv7 begins with its creation time.
STARTED_MS = int(time.time() * 1_000)
NOBODYS = "0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d"
LOGIN = {"username": os.environ["CONTRACT_USERNAME"], "password": os.environ["CONTRACT_PASSWORD"]}
# Auth throttles an address after 50 failed logins, and other clients log in from this address too.
FAILED_LOGINS = 3

# An access token is valid for five minutes.
TOKEN_S = 240


@schemathesis.auth(refresh_interval=TOKEN_S)
class Session:
    """Logs in, and is patient: what is tried with logins counts against the same limit."""

    def get(self, case, context):
        while True:
            response = requests.post(os.environ["CONTRACT_LOGIN_URL"], json=LOGIN, timeout=30)
            if response.status_code != 429:
                response.raise_for_status()
                return response.json()["access_token"]
            time.sleep(int(response.headers["retry-after"]))

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


numbers = itertools.count()
logins = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    renew_key(case)
    mend_if_match(case)
    drop_cursor(case)
    spare_others(case)
    keep_notices(case)
    if isinstance(case.body, dict):
        name_accounts(case.body)
        hold_money(case.body)
        use_mandates(case.body)
        spare_logins(case)
        choose_password(case.body)


def renew_key(case):
    """With one key for all, all but the first request would be repetitions. Every tenth is; none of another run's."""
    key = (case.headers or {}).get("idempotency-key")
    number = next(numbers)
    if isinstance(key, str) and KEY.fullmatch(key):
        case.headers["idempotency-key"] = f"{STARTED_MS}-{number if number % 10 else 'again'}"


def mend_if_match(case):
    """Schemathesis knows this header, and does not look at its schema."""
    tag = (case.headers or {}).get("if-match")
    if tag is not None and case.meta and case.meta.generation.mode.is_positive and not ETAG.fullmatch(str(tag)):
        case.headers["if-match"] = '"1"'


def drop_cursor(case):
    """A cursor is opaque: nobody can make a good one up."""
    cursor = (case.query or {}).get("cursor")
    if isinstance(cursor, str) and re.fullmatch(r"[\x21-\x7e]{1,2048}", cursor):
        del case.query["cursor"]


def choose_password(body):
    """A generated one may be common, such as one letter repeated. No schema can say that."""
    for name in ("password", "new_password"):
        value = body.get(name)
        if isinstance(value, str) and 12 <= len(value) <= 256:
            body[name] = secrets.token_urlsafe(200)[: len(value)]


def is_account(value):
    return isinstance(value, str) and ACCOUNT.fullmatch(value)


def name_accounts(body):
    """Ids that nobody has lead to 404 and no further: every fourth. The others are ours, and pay with little."""
    fields = [name for name in ("from_account", "to_account", "account_id") if is_account(body.get(name))]
    if not fields:
        return
    if not next(numbers) % 4:
        body.update({name: f"acct_{NOBODYS}" for name in fields[:1]})
    for name in fields:
        if NOBODYS not in body[name]:
            body[name] = OURS[1] if name == "to_account" else OURS[0]
    if re.fullmatch("[A-Z]{3}", str(body.get("currency"))):
        body["currency"] = "EUR"
    amount = body.get("amount")
    if isinstance(amount, int) and not isinstance(amount, bool) and 0 < amount <= 2**53 - 1:
        body["amount"] = amount % 1_000 + 1


def hold_money(body):
    """Steps after an authorization need one."""
    if body.get("capture") == "automatic" and next(numbers) % 2:
        body["capture"] = "manual"


TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}.*")
MANDATE = re.compile(r"man_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def use_mandates(body):
    """A made-up mandate leads to 404 and no further, and a mandate that has ended to 400."""
    if MANDATE.fullmatch(str(body.get("mandate_id"))) and next(numbers) % 4:
        del body["mandate_id"]
    if TIME.fullmatch(str(body.get("valid_until"))) and next(numbers) % 4:
        body["valid_until"] = "2099-12-31T23:59:59Z"


CHANGES = {
    "revokeMandate": "man",
    "updateAccount": "acct",
    "freezeAccount": "acct",
    "unfreezeAccount": "acct",
    "closeAccount": "acct",
    "updateRule": "rule",
    "revokeApiClient": "cli",
    "rotateApiClientSecret": "cli",
    "updateWebhookEndpoint": "whe",
    "deleteWebhookEndpoint": "whe",
    "rotateWebhookSecret": "whe",
    "updateUser": "usr",
    "disableUser": "usr",
    "enableUser": "usr",
    "resetPassword": "usr",
    "logoutUserEverywhere": "usr",
    "revokeUserSession": "usr",
    "deleteUserSecondFactors": "usr",
    "revokeSession": "fam",
}


def is_others(value, kind):
    found = re.fullmatch(rf"{kind}_([0-9a-f]{{8}})-([0-9a-f]{{4}})-.*", value)
    return found is not None and value not in OURS and int(found[1] + found[2], 16) < STARTED_MS


def spare_others(case):
    operation = operation_of(case)
    kind = CHANGES.get(operation)
    given = (case.path_parameters or {}).get("id")
    if kind and isinstance(given, str) and is_others(given, kind):
        case.path_parameters["id"] = f"{kind}_{NOBODYS}"
    # Wrong codes for a factor throttle its user, whom other tests need.
    if operation == "confirmSecondFactor" and isinstance(given, str) and given.startswith("sf_"):
        case.path_parameters["id"] = f"sf_{NOBODYS}"
    # An endpoint of an operator would get every payment of all users.
    if operation in ("createWebhookEndpoint", "updateWebhookEndpoint") and isinstance(case.body, dict):
        types = case.body.get("event_types")
        if isinstance(types, list) and types and all(isinstance(each, str) for each in types) and is_right(case):
            case.body["event_types"] = ["webhook_endpoint.disabled"]
    # An enforced rule would apply to the payments of all users.
    if operation in ("createRule", "updateRule") and isinstance(case.body, dict):
        if isinstance(case.body.get("enabled", True), bool):
            case.body["enabled"] = False


def keep_notices(case):
    """Other tests look for the notifications of these users."""
    if operation_of(case) == "replaceNotificationPreferences" and isinstance(case.body, dict) and is_right(case):
        case.body["channels"] = {"inbox": True, "mail": True}
        case.body.pop("events", None)


def is_right(case):
    return case.meta is None or case.meta.generation.mode.is_positive


def operation_of(case):
    return case.operation.definition.raw.get("operationId")


def spare_logins(case):
    if operation_of(case) != "login":
        return
    given = {name: value for name, value in case.body.items() if isinstance(value, str) and 0 < len(value) <= 256}
    if given.keys() == LOGIN.keys() == case.body.keys() and next(logins) >= FAILED_LOGINS:
        case.body.update(LOGIN)

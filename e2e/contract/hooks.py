"""What Schemathesis cannot know from the document: which texts are time zones, which keys are new, which accounts there
are; and what it must leave alone, because others use the same platform. Only what is well formed is changed, so that what is
meant to be wrong stays wrong."""

import itertools
import os
import re
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

# Two accounts that were opened for this run; the first is the caller's.
OWN = os.environ["CONTRACT_ACCOUNTS"].split()
# Accounts that others need: they are neither changed nor emptied.
SPARED = set(os.environ["CONTRACT_SPARED"].split())
LOGIN = {"username": os.environ["CONTRACT_USERNAME"], "password": os.environ["CONTRACT_PASSWORD"]}
# Auth slows an address down after 50 failed logins, and others log in from this one too.
FAILED_LOGINS = 3

# An access token is good for five minutes.
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
    if isinstance(case.body, dict):
        name_accounts(case.body)
        hold_money(case.body)
        spare_others(case)
        spare_logins(case)


def renew_key(case):
    """With one key for all, all but the first request would be repetitions. Every tenth is."""
    key = (case.headers or {}).get("idempotency-key")
    number = next(numbers)
    if isinstance(key, str) and KEY.fullmatch(key) and number % 10:
        case.headers["idempotency-key"] = f"{os.getpid()}-{number}"


def mend_if_match(case):
    """Schemathesis knows this header, and does not look at its schema."""
    tag = (case.headers or {}).get("if-match")
    if tag is not None and case.meta and case.meta.generation.mode.is_positive and not ETAG.fullmatch(str(tag)):
        case.headers["if-match"] = '"1"'


def drop_cursor(case):
    """A cursor is opaque: nobody can make a good one up."""
    cursor = (case.query or {}).get("cursor")
    if isinstance(cursor, str) and re.fullmatch(r"[\x21-\x7e]{1,1024}", cursor):
        del case.query["cursor"]


def is_account(value):
    return isinstance(value, str) and ACCOUNT.fullmatch(value)


def name_accounts(body):
    """Ids that nobody has lead to 404 and no further. Every fourth stays."""
    fields = [name for name in ("from_account", "to_account", "account_id") if is_account(body.get(name))]
    if not fields or not next(numbers) % 4:
        return
    for name in fields:
        body[name] = OWN[1] if name == "to_account" else OWN[0]
    if re.fullmatch("[A-Z]{3}", str(body.get("currency"))):
        body["currency"] = "EUR"
    if isinstance(body.get("amount"), int) and body["amount"] > 0:
        body["amount"] = body["amount"] % 1_000 + 1


def hold_money(body):
    """Steps after an authorization need one."""
    if body.get("capture") == "automatic" and next(numbers) % 2:
        body["capture"] = "manual"


CHANGES_ACCOUNT = {"updateAccount", "freezeAccount", "unfreezeAccount", "closeAccount"}


def spare_others(case):
    operation = case.operation.definition.raw.get("operationId")
    parameters = case.path_parameters or {}
    if operation in CHANGES_ACCOUNT and str(parameters.get("id")) in SPARED:
        parameters["id"] = "acct_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d"
    account = case.body.get("account_id")
    if isinstance(account, str) and account in SPARED:
        case.body["account_id"] = OWN[0]
    # A rule would decide about everybody's payments.
    if operation in ("createRule", "updateRule") and str(case.body.get("action")) in ("decline", "allow"):
        case.body["action"] = "shadow"


def spare_logins(case):
    if case.operation.definition.raw.get("operationId") != "login":
        return
    given = {name: value for name, value in case.body.items() if isinstance(value, str) and 0 < len(value) <= 256}
    if given.keys() == LOGIN.keys() == case.body.keys() and next(logins) >= FAILED_LOGINS:
        case.body.update(LOGIN)

"""Pays many sellers from one account, and survives kill -9.

    python3 payouts.py <run> <payouts.csv> <report.csv>

payouts.csv has the columns seller, account and amount (minor units). `run` names this day's payouts, such as 2026-11-30.

The program keeps no state. The key of each payment follows from the run and the seller, so a second start with the same file sends the
same requests with the same keys: what was paid is not paid again, and answers with its first outcome. Needs Python 3.9 and no package.
"""
import csv
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

GATEWAY = os.environ["GATEWAY"]
FROM_ACCOUNT = os.environ["FROM_ACCOUNT"]
CURRENCY = os.environ.get("CURRENCY", "EUR")
WORKERS = 8
# Above the 8 s in which the platform promises an answer.
TIMEOUT_S = 15
# Statuses without a final outcome. 409 is one only if it has a Retry-After: the first request is still in progress.
UNKNOWN = {0, 202, 429, 502, 503, 504}


class Session:
    """An access token, renewed before it expires. Each thread may ask for it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.token = ""
        self.until = 0.0

    def access_token(self):
        with self.lock:
            if time.monotonic() > self.until:
                body = {"username": os.environ["PAYFLOWX_USER"], "password": os.environ["PAYFLOWX_PASSWORD"]}
                status, _, answer = until_known(lambda: send("/v1/auth/login", body, {}))
                if status != 200:
                    raise SystemExit(f"The login was refused: {answer.get('code')}")
                self.token = answer["access_token"]
                self.until = time.monotonic() + answer["expires_in"] - 30
            return self.token


def send(path, body, headers):
    """Returns status, headers and body. The status 0 stands for no answer: the request may have been carried out."""
    request = urllib.request.Request(GATEWAY + path, json.dumps(body).encode(), {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return response.status, response.headers, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json_of(error)
    except (OSError, ValueError):
        return 0, {}, {}


def json_of(response):
    """A proxy in between may answer with a page."""
    try:
        return json.load(response)
    except ValueError:
        return {}


def until_known(attempt):
    """Repeats the same request until its outcome is known, with pauses that grow."""
    pause = 0.25
    while True:
        status, headers, body = attempt()
        retry_after = headers.get("retry-after")
        if status not in UNKNOWN and not (status == 409 and retry_after):
            return status, headers, body
        time.sleep(float(retry_after) if retry_after else pause)
        pause = min(pause * 2, 8)


def escaped(text):
    return urllib.parse.quote(text, safe="")


def pay(session, run, payout):
    """Returns the line of the report."""
    # Escaped, so that run and seller cannot be confused, and the key has only characters that a header may have.
    reference = f"payout/{escaped(run)}/{escaped(payout['seller'])}"
    body = {
        "from_account": FROM_ACCOUNT,
        "to_account": payout["account"],
        "amount": int(payout["amount"]),
        "currency": CURRENCY,
        "reference": reference,
    }

    def attempt():
        token = session.access_token()
        return send("/v1/payments", body, {"authorization": f"Bearer {token}", "idempotency-key": reference})

    status, _, answer = until_known(attempt)
    if status == 201:
        return [payout["seller"], answer["id"], answer["state"], ""]
    # A decline is final for its key. The payment exists, and is FAILED.
    payment = answer.get("payment", {})
    return [payout["seller"], payment.get("id", ""), "FAILED", answer.get("code", status)]


def main():
    run, payouts_file, report_file = sys.argv[1:4]
    with open(payouts_file, newline="") as file:
        payouts = list(csv.DictReader(file))
    session = Session()
    with ThreadPoolExecutor(WORKERS) as workers:
        lines = list(workers.map(lambda payout: pay(session, run, payout), payouts))
    with open(f"{report_file}.new", "w", newline="") as file:
        csv.writer(file).writerows([["seller", "payment", "state", "code"], *lines])
    # The report appears whole, or not at all.
    os.replace(f"{report_file}.new", report_file)
    failed = sum(1 for line in lines if line[2] != "COMPLETED")
    print(f"{len(lines) - failed} paid, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

-- Accounts and what they hold. Money is BIGINT minor units, never beyond 2^53 - 1, so that every JSON reader can carry it.

-- Who an account is. Nothing here that a decision reads ever changes (owner, currency, is_external), so a decision may
-- read it without a lock.
CREATE TABLE accounts (
  id text PRIMARY KEY,
  -- Null: an external account, the world outside, which nobody owns.
  owner_id text,
  name text NOT NULL DEFAULT '' CHECK (char_length(name) <= 100),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  is_external boolean NOT NULL DEFAULT false,
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  CHECK (is_external = (owner_id IS NULL)),
  CHECK (is_external = (id = 'external:' || currency))
);

-- Ids are UUIDv7: by id is by age.
CREATE INDEX accounts_of_owner ON accounts (owner_id, id);

-- Everything a decision depends on that can change stands in this one row, which the decision locks: balance, limits,
-- their use, and the state. Were state or limits in `accounts`, a decision that waited for the lock would go on with the
-- values from before its wait, and could still pay into an account that was closed meanwhile.
-- Narrow, with only its key indexed and room on each page, so that an update stays on its page (HOT).
CREATE TABLE balances (
  account_id text PRIMARY KEY REFERENCES accounts (id),
  -- As in accounts: the CHECK below needs it in the row.
  is_external boolean NOT NULL,
  state text NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'FROZEN', 'CLOSED')),
  posted bigint NOT NULL DEFAULT 0,
  held bigint NOT NULL DEFAULT 0 CHECK (held BETWEEN 0 AND 9007199254740991),
  -- What was spent in the current windows, UTC. A window that is over counts as 0; it is not reset by a job.
  spent_day date NOT NULL DEFAULT '1970-01-01',
  spent_today bigint NOT NULL DEFAULT 0 CHECK (spent_today BETWEEN 0 AND 9007199254740991),
  count_today integer NOT NULL DEFAULT 0 CHECK (count_today >= 0),
  spent_month date NOT NULL DEFAULT '1970-01-01',
  spent_this_month bigint NOT NULL DEFAULT 0 CHECK (spent_this_month BETWEEN 0 AND 9007199254740991),
  -- Null: no limit.
  limit_per_payment bigint CHECK (limit_per_payment BETWEEN 0 AND 9007199254740991),
  limit_daily bigint CHECK (limit_daily BETWEEN 0 AND 9007199254740991),
  limit_monthly bigint CHECK (limit_monthly BETWEEN 0 AND 9007199254740991),
  limit_daily_count integer CHECK (limit_daily_count >= 0),
  CONSTRAINT balances_posted_fits CHECK (posted BETWEEN -9007199254740991 AND 9007199254740991),
  -- The last line: whatever the code believes, nobody spends what is not there.
  CONSTRAINT balances_not_overdrawn CHECK (is_external OR posted - held >= 0),
  -- The world outside owes at most the cap, so all money of a currency together fits, and so does every part of it.
  CONSTRAINT balances_external_floor CHECK (posted - held >= -9007199254740991)
) WITH (fillfactor = 70);

-- Which request opened which account, so that the same request gets the same answer.
CREATE TABLE account_requests (
  caller_id text NOT NULL,
  request_id text NOT NULL,
  -- SHA-256 of what was asked: the same id with another request is refused.
  fingerprint text NOT NULL,
  -- Checked at the commit: the id is claimed before its account is inserted.
  account_id text NOT NULL REFERENCES accounts (id) DEFERRABLE INITIALLY DEFERRED,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (caller_id, request_id)
);

GRANT SELECT, INSERT ON accounts, account_requests TO payflowx_authorization;
GRANT SELECT, INSERT ON balances TO payflowx_authorization;
GRANT UPDATE (posted, held, spent_day, spent_today, count_today, spent_month, spent_this_month) ON balances
  TO payflowx_authorization;

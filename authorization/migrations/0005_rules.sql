-- Rules that payments are decided by, and what a rule can be tried on later.

-- Every version of every rule. The newest of each counts; all together are the audit log of rules. Never changed.
CREATE TABLE rule_versions (
  id text NOT NULL,
  version bigint NOT NULL CHECK (version >= 1),
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
  expression text NOT NULL CHECK (char_length(expression) BETWEEN 1 AND 2000),
  action text NOT NULL CHECK (action IN ('DECLINE', 'ALLOW', 'SHADOW')),
  message text NOT NULL CHECK (char_length(message) <= 200),
  enabled boolean NOT NULL,
  created_by text NOT NULL,
  -- The caller's own id of the request that created the rule; empty: none, or a later version.
  request_id text NOT NULL DEFAULT '' CHECK (request_id = '' OR version = 1),
  trace_id text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (id, version)
);

CREATE UNIQUE INDEX rule_names ON rule_versions (name) WHERE version = 1;
CREATE UNIQUE INDEX rule_requests ON rule_versions (created_by, request_id) WHERE request_id <> '';

CREATE TRIGGER rule_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_versions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON rule_versions TO payflowx_authorization;

-- One row. Its version rises with every version of a rule, in the same transaction; every decision reads it in its own, and
-- so knows whether the rules that an instance has in memory are the ones in force. Who saves a rule holds its lock.
CREATE TABLE ruleset (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  version bigint NOT NULL
);
INSERT INTO ruleset (version) VALUES (0);

GRANT SELECT, UPDATE (version) ON ruleset TO payflowx_authorization;

-- What rules could know about a payment in the moment it was decided; null: of a decision that no rule looks at, or from
-- before there were rules. json, not jsonb: it is written with every payment and read only to try a rule.
ALTER TABLE decisions ADD COLUMN facts json;

-- To try a rule on the newest payments of a period, page by page.
CREATE INDEX decisions_with_facts ON decisions (decided_at, payment_id, operation_id) WHERE facts IS NOT NULL;

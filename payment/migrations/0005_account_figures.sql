-- What the payments add up to, account by account, as of one moment: taken when a reconciliation begins to read, and read page by page.
-- Folding every payment once costs a fraction of finding each page's payments through an index. Scratch tables: unlogged, emptied by a
-- crash of the server, and by whoever takes the next figures an hour later.
CREATE UNLOGGED TABLE figure_snapshots (
  id text PRIMARY KEY,
  line_count bigint NOT NULL,
  taken_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNLOGGED TABLE account_figures (
  snapshot_id text NOT NULL,
  -- From 1, by account and currency.
  position bigint NOT NULL,
  account_id text NOT NULL,
  currency text NOT NULL,
  posted_minor bigint NOT NULL,
  held_minor bigint NOT NULL,
  sent_minor bigint NOT NULL,
  received_minor bigint NOT NULL,
  notification_count bigint NOT NULL,
  pending_count bigint NOT NULL,
  PRIMARY KEY (snapshot_id, position)
);

GRANT SELECT, INSERT, DELETE ON figure_snapshots, account_figures TO payflowx_payment;

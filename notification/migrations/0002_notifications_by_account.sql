-- What one account was told: to list it, and to count it account by account. Equal ids share an entry, so the index stays small.
CREATE INDEX notifications_by_account ON notifications (account_id);

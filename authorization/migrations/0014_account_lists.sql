-- migrate: no transaction
-- Lists of accounts are keyset pages by id, newest first. Each index carries one way in, so that no list walks all accounts.
DROP INDEX CONCURRENTLY IF EXISTS accounts_by_external_id;
CREATE INDEX CONCURRENTLY accounts_by_external_id ON accounts (external_id, id) WHERE external_id <> '';
DROP INDEX CONCURRENTLY IF EXISTS accounts_by_name;
CREATE INDEX CONCURRENTLY accounts_by_name ON accounts (name, id) WHERE name <> '';
-- Few accounts are frozen or closed. A movement of money changes no state, so this index costs it nothing.
DROP INDEX CONCURRENTLY IF EXISTS balances_out_of_service;
CREATE INDEX CONCURRENTLY balances_out_of_service ON balances (state, account_id) WHERE state <> 'ACTIVE';

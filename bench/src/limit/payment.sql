-- One payment, one transaction, eight round trips. The balances are updated in id order, so transactions cannot deadlock.
\set one random(1, :accounts)
\set drawn random(1, :accounts - 1)
\set other :drawn + case when :drawn >= :one then 1 else 0 end
\set low least(:one, :other)
\set high greatest(:one, :other)
\set amount random(1, 100)
\set key random(1, 9000000000000000000)
BEGIN;
INSERT INTO payments (idempotency_key, state, from_account, to_account, amount, currency) VALUES (:key::bigint::text, 'COMPLETED', :low, :high, :amount, 'EUR');
UPDATE balances SET posted = posted - :amount WHERE account_id = :low;
UPDATE balances SET posted = posted + :amount WHERE account_id = :high;
INSERT INTO entries (account_id, amount) VALUES (:low, -(:amount)::bigint);
INSERT INTO entries (account_id, amount) VALUES (:high, :amount);
INSERT INTO outbox (payload) VALUES (repeat('x', 400));
COMMIT;

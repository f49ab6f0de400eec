/** The story that `make demo` plays: real money through all services, each step checked against what it must be. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  balanceOf,
  deposit,
  eventually,
  logIn,
  openAccount,
  provenLedger,
  readDemo,
  type Session,
} from './platform.ts';
import { chapter, fact, money, table } from './print.ts';
import { type Answer, type Body, expectStatus } from './rest.ts';

export interface Cast {
  operator: Session;
  auditor: Session;
  alice: Session;
  bob: Session;
}

export async function logInAll(): Promise<Cast> {
  const demo = readDemo();
  const [operator, auditor, alice, bob] = await Promise.all(
    ['operator', 'auditor', 'alice', 'bob'].map((username) => logIn(demo, username)),
  );
  return { operator, auditor, alice, bob } as Cast;
}

export async function openAccounts({ operator, alice, bob }: Cast): Promise<{ from: Body; to: Body }> {
  chapter('An operator opens two accounts and deposits');
  const from = await openAccount(operator, alice.user, 0, { name: "Alice's wallet" });
  const to = await openAccount(operator, bob.user, 0, { name: "Bob's wallet" });
  const payment = await deposit(operator, from.id, 10_000);
  assert.equal(payment.state, 'COMPLETED');
  fact('alice', from.id);
  fact('bob', to.id);
  fact('deposit', `${payment.id}  ${money(10_000)} from ${payment.from_account}`);
  return { from, to };
}

export async function payOnce({ alice, bob }: Cast, from: Body, to: Body): Promise<Body> {
  chapter('Alice pays Bob, sends the same request again, and then with another amount');
  const key = randomUUID();
  const request = {
    from_account: from.id,
    to_account: to.id,
    amount: 2_500,
    currency: 'EUR',
    reference: 'INV-1001',
  };

  const first = await alice.post('/v1/payments', request, { key });
  const payment = expectStatus(first, 201);
  assert.equal(payment.state, 'COMPLETED');
  fact('paid', `${payment.id}  ${money(2_500)}  ${payment.state}`);

  const again = await alice.post('/v1/payments', request, { key });
  assert.deepEqual(expectStatus(again, 201), payment);
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
  fact('same again', `${again.status}, the same payment, replayed: not paid twice`);

  const other = await alice.post('/v1/payments', { ...request, amount: 2_600 }, { key });
  assert.equal(expectStatus(other, 422).code, 'IDEMPOTENCY_KEY_REUSED');
  fact('other amount', `${other.status} ${other.body.code}`);

  assert.equal((await balanceOf(alice, from.id)).available, 7_500);
  assert.equal((await balanceOf(bob, to.id)).available, 2_500);
  return payment;
}

export async function payTooMuch({ alice }: Cast, from: Body, to: Body): Promise<void> {
  chapter('A payment beyond the balance is declined');
  const request = { from_account: from.id, to_account: to.id, amount: 1_000_000, currency: 'EUR' };
  const problem = expectStatus(await alice.post('/v1/payments', request), 402);
  assert.equal(problem.payment.failure.code, 'INSUFFICIENT_BALANCE');
  assert.equal((await balanceOf(alice, from.id)).available, 7_500);
  fact(
    'declined',
    `402 ${problem.code}: ${problem.payment.id} is ${problem.payment.state}, the balance is untouched`,
  );
}

const RACERS = 20;
const AFFORDABLE = 7;

export async function race({ alice, bob }: Cast, from: Body, to: Body): Promise<void> {
  chapter(`${RACERS} payments race for a balance that is enough for ${AFFORDABLE}`);
  const request = { from_account: from.id, to_account: to.id, amount: 1_000, currency: 'EUR' };
  const answers: Answer[] = await Promise.all(
    Array.from({ length: RACERS }, () => alice.post('/v1/payments', request)),
  );
  const count = (status: number) => answers.filter((answer) => answer.status === status).length;
  assert.deepEqual([count(201), count(402)], [AFFORDABLE, RACERS - AFFORDABLE]);
  const [left, received] = [await balanceOf(alice, from.id), await balanceOf(bob, to.id)];
  assert.deepEqual([left.available, received.available], [500, 9_500]);
  fact('completed', `${count(201)}, declined ${count(402)}`);
  fact('balances', `alice ${money(left.available)}, bob ${money(received.available)}`);
}

/** Waits until the asynchronous side knows of the payment, and shows what it knows. */
export async function followThrough({ alice, auditor }: Cast, payment: Body): Promise<void> {
  chapter('What each service says about the payment');
  const { state, version } = expectStatus(await alice.get(`/v1/payments/${payment.id}`), 200);
  assert.equal(state, 'COMPLETED');
  fact('payment', `${payment.id} is ${state}, version ${version}`);

  const decision = payment.decision;
  assert.equal(decision.outcome, 'approved');
  fact(
    'authorization',
    `${decision.outcome}: ${decision.checks.map((check: Body) => check.name).join(', ')}`,
  );

  const entries = await listed(auditor, `/v1/ledger/entries?payment_id=${payment.id}`, 2);
  const signed = entries.map((entry) => (entry.direction === 'debit' ? -entry.amount : entry.amount));
  assert.deepEqual(
    signed.toSorted((a, b) => a - b),
    [-2_500, 2_500],
  );
  fact('ledger', entries[0].transaction_id);
  table(entries.map((entry) => [entry.direction, entry.account_id, money(entry.amount), entry.layer]));

  const notifications = await listed(auditor, `/v1/notifications?payment_id=${payment.id}`, 2);
  fact('notification', `${notifications.length}, one for each side`);
  table(notifications.map((each) => [each.side, each.id, each.body]));
}

/** The rows of a list once there are `count`: the asynchronous side is a moment behind. */
function listed(session: Session, path: string, count: number): Promise<Body[]> {
  return eventually(async () => {
    const { data } = expectStatus(await session.get(path), 200);
    assert.equal(data.length, count, `${path} should list ${count}`);
    return data;
  });
}

export async function addUp({ auditor }: Cast, from: Body): Promise<void> {
  chapter('Analytics have counted');
  const totals = await eventually(async () => {
    const { data } = expectStatus(await auditor.get(`/v1/analytics/accounts/${from.id}`), 200);
    assert.equal(data[0]?.sent_count, 1 + AFFORDABLE);
    assert.equal(data[0]?.amount_sent, 2_500 + AFFORDABLE * 1_000);
    return data[0];
  });
  fact(
    'alice',
    `${totals.sent_count} payments sent, ${money(totals.amount_sent)}, ${totals.failed_count} declined`,
  );
  const { data } = expectStatus(await auditor.get('/v1/analytics/summary'), 200);
  for (const { currency, completed_count, failed_count, success_rate } of data) {
    const rate = success_rate === null ? 'no' : `${(success_rate * 100).toFixed(1)} %`;
    fact('all time', `${currency}: ${completed_count} completed, ${failed_count} declined, ${rate} success`);
  }
}

export async function prove({ auditor }: Cast): Promise<void> {
  chapter('The proof: the whole journal folded anew, against the balances that money was spent from');
  const proof = await provenLedger(auditor);
  for (const { currency, posted_sum, pending_sum } of proof.trial_balances) {
    fact('trial balance', `${currency}: posted ${posted_sum}, pending ${pending_sum}`);
  }
  fact('compared', `${proof.account_count} accounts, ${proof.difference_count} differ`);
  fact('journal', `${proof.transaction_count} transactions, ${proof.entry_count} entries`);
  fact('holds', String(proof.holds));
}

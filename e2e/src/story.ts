/** The story of `make demo`: payments through all services, each step checked against its expected result. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  PayFlowXError,
  ReceiptRefused,
  type Schema,
  verifyReceipt,
  verifyWebhook,
  type WebhookEvent,
} from '@payflowx/client';
import {
  type Account,
  balanceOf,
  deposit,
  eventually,
  openAccount,
  type Payment,
  type People,
  provenLedger,
} from './platform.ts';
import { chapter, fact, money, table } from './print.ts';

interface Accounts {
  from: Account;
  to: Account;
}

export async function openAccounts({ operator, alice, bob }: People): Promise<Accounts> {
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

export async function payOnce(people: People, accounts: Accounts): Promise<Payment> {
  chapter('Alice pays Bob, sends the same request again, and then with another amount');
  const { api } = people.alice;
  const key = randomUUID();
  const body = { ...between(accounts), amount: 2_500, reference: 'INV-1001' };

  const first = await api.post('/v1/payments', { body, key });
  assert.equal(first.data.state, 'COMPLETED');
  fact('paid', `${first.data.id}  ${money(2_500)}  ${first.data.state}`);

  const again = await api.post('/v1/payments', { body, key });
  assert.deepEqual(again.data, first.data);
  assert.equal(again.response.headers.get('idempotent-replayed'), 'true');
  fact('same again', `${again.response.status}, the same payment, replayed: not paid twice`);

  const other = await refusal(api.post('/v1/payments', { body: { ...body, amount: 2_600 }, key }));
  assert.equal(other.code, 'IDEMPOTENCY_KEY_REUSED');
  fact('other amount', `${other.status} ${other.code}`);

  await expectAvailable(people, accounts, 7_500, 2_500);
  return first.data;
}

export async function payTooMuch(people: People, accounts: Accounts): Promise<void> {
  chapter('A payment beyond the balance is declined');
  const body = { ...between(accounts), amount: 1_000_000 };
  const { status, code, problem } = await refusal(people.alice.api.post('/v1/payments', { body }));
  assert.deepEqual([status, code], [402, 'INSUFFICIENT_BALANCE']);
  const { id, state } = problem.payment as Payment;
  await expectAvailable(people, accounts, 7_500, 2_500);
  fact('declined', `402 ${code}: ${id} is ${state}, the balance is untouched`);
}

export async function captureInParts(people: People, accounts: Accounts): Promise<Payment> {
  chapter('Alice holds money; it is captured in two parts, and the rest is released');
  const { api } = people.alice;
  const body = { ...between(accounts), amount: 3_000, capture: 'manual' as const };
  const { data: held } = await api.post('/v1/payments', { body });
  assert.equal(held.state, 'AUTHORIZED');
  await expectAvailable(people, accounts, 4_500, 2_500);
  fact('held', `${held.id}  ${money(3_000)}  ${held.state}, until ${held.expires_at}`);

  const params = { path: { id: held.id } };
  const part = await api.post('/v1/payments/{id}/capture', { params, body: { amount: 1_000 } });
  assert.equal(part.data.state, 'PARTIALLY_CAPTURED');
  await expectAvailable(people, accounts, 4_500, 3_500);
  fact('captured', `${money(1_000)}  ${part.data.state}`);

  const last = await api.post('/v1/payments/{id}/capture', { params, body: { amount: 1_500, final: true } });
  assert.deepEqual([last.data.state, last.data.amount_captured], ['COMPLETED', 2_500]);
  await expectAvailable(people, accounts, 5_000, 5_000);
  fact('captured', `${money(1_500)}, the last  ${last.data.state}; ${money(500)} released`);
  return last.data;
}

export async function cancel(people: People, accounts: Accounts): Promise<void> {
  chapter('Another hold is cancelled; a capture comes too late');
  const { api } = people.alice;
  const body = { ...between(accounts), amount: 1_200, capture: 'manual' as const };
  const { data: held } = await api.post('/v1/payments', { body });
  const params = { path: { id: held.id } };
  const { data: cancelled } = await api.post('/v1/payments/{id}/cancel', { params, body: {} });
  assert.equal(cancelled.state, 'CANCELLED');
  const late = await refusal(api.post('/v1/payments/{id}/capture', { params, body: {} }));
  assert.equal(late.code, 'INVALID_STATE');
  await expectAvailable(people, accounts, 5_000, 5_000);
  fact('cancelled', `${held.id}  ${money(1_200)} released`);
  fact('too late', `${late.status} ${late.code}: it is ${late.problem.state}`);
}

export async function refund(people: People, accounts: Accounts, { id }: Payment): Promise<void> {
  chapter('Bob refunds a part of the first payment');
  const params = { path: { id } };
  const body = { amount: 500, reason: 'One item was missing' };
  const { data } = await people.bob.api.post('/v1/payments/{id}/refunds', { params, body });
  assert.equal(data.state, 'COMPLETED');
  const { data: payment } = await people.alice.api.get('/v1/payments/{id}', { params });
  assert.deepEqual([payment.state, payment.amount_refunded], ['PARTIALLY_REFUNDED', 500]);
  await expectAvailable(people, accounts, 5_500, 4_500);
  fact('refunded', `${data.id}  ${money(500)}  the payment is ${payment.state}`);
}

/** The receiver of Bob's shop first answers with an error, so the event arrives again, with the same id. */
export async function receiveWebhook(people: People, accounts: Accounts): Promise<void> {
  chapter('Bob registers a webhook; its receiver fails once, and gets the event again');
  const { api } = people.bob;
  const arrived: { id: string; event: WebhookEvent }[] = [];
  let secret = '';
  const receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const event = verifyWebhook(body, request.headers, secret);
    arrived.push({ id: String(request.headers['webhook-id']), event });
    response.writeHead(arrived.length === 1 ? 500 : 204).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = receiver.address() as AddressInfo;
    const body = {
      url: `http://127.0.0.1:${port}/`,
      event_types: ['payment.completed' as const],
      description: 'Shop',
    };
    const { data: endpoint } = await api.post('/v1/webhook-endpoints', { body });
    secret = endpoint.secret;
    const { data: paid } = await people.alice.api.post('/v1/payments', {
      body: { ...between(accounts), amount: 100 },
    });
    const [first, second] = await eventually(async () => {
      assert.equal(arrived.length, 2);
      return arrived;
    });
    assert.equal(first?.id, second?.id);
    assert.equal(second?.event.type === 'payment.completed' && second.event.data.payment.id, paid.id);
    const query = { endpoint_id: endpoint.id };
    const delivery = await eventually(async () => {
      const { data } = await api.get('/v1/webhook-deliveries', { params: { query } });
      assert.equal(data.data[0]?.state, 'delivered');
      return data.data[0];
    });
    fact('endpoint', endpoint.id);
    fact('arrived', `${first?.id}  payment.completed, verified, answered ${delivery.attempts[0]?.status}`);
    fact('again', `${second?.id}  verified, answered ${delivery.attempts[1]?.status}: ${delivery.state}`);
    await api.delete('/v1/webhook-endpoints/{id}', { params: { path: { id: endpoint.id } } });
  } finally {
    receiver.close();
    receiver.closeAllConnections();
  }
}

const RACERS = 20;
const AFFORDABLE = 5;

export async function race(people: People, accounts: Accounts): Promise<void> {
  chapter(`${RACERS} payments race for a balance that is enough for ${AFFORDABLE}`);
  const body = { ...between(accounts), amount: 1_000 };
  const racers = Array.from({ length: RACERS }, () => people.alice.api.post('/v1/payments', { body }));
  const outcomes = await Promise.allSettled(racers);
  const completed = outcomes.filter(({ status }) => status === 'fulfilled').length;
  assert.equal(completed, AFFORDABLE);
  await expectAvailable(people, accounts, 500, 9_500);
  fact('completed', `${completed}, declined ${RACERS - completed}`);
  fact('balances', `alice ${money(500)}, bob ${money(9_500)}`);
}

/** Waits until the background services have processed all of it. */
export async function followThrough({ auditor }: People, { id }: Payment): Promise<void> {
  chapter('The timeline of that payment in two parts, by service');
  const params = { path: { id } };
  const timeline = await eventually(async () => {
    const { data } = await auditor.api.get('/v1/payments/{id}/timeline', { params });
    const from = (source: string) => data.data.filter((item) => item.source === source).length;
    assert.deepEqual(['payment', 'ledger', 'notification'].map(from), [4, 3, 6]);
    return data.data;
  });
  const [{ at: startedAt } = { at: '' }] = timeline;
  const after = (at: string) => `+${Date.parse(at) - Date.parse(startedAt)} ms`;
  table(timeline.map((item) => [after(item.at), item.source, item.type, summary(item)]));
}

function summary({ movements, decision, entries, notification }: Schema<'TimelineItem'>): string {
  if (movements) return movements.map(({ kind, amount }) => `${kind} ${money(amount)}`).join(', ');
  if (entries) return `${entries.length} entries, ${entries[0]?.transaction_id}`;
  if (notification) return `${notification.side}: ${notification.body}`;
  return decision ? decision.checks.map(({ name }) => name).join(', ') : '';
}

/** A receipt exists once the payment is sealed. The client retries until then. The auditor has kept a head, and Bob proves with it. */
export async function verify({ auditor, bob }: People, { id }: Payment): Promise<void> {
  chapter("The receipt: proof against a kept head that the payment's journal entries are unchanged");
  const path = { id };
  await bob.api.get('/v1/ledger/payments/{id}/receipt', { params: { path } });
  const { data: head } = await auditor.api.get('/v1/ledger/head');
  const params = { path, query: { head_size: head.size } };
  const { data: receipt } = await bob.api.get('/v1/ledger/payments/{id}/receipt', { params });
  const { transactions: sealed } = verifyReceipt(receipt, head);
  const moved = sealed.flatMap(({ postings }) => postings).filter(({ kind }) => kind === 'transfer');
  assert.deepEqual(
    moved.map(({ amount }) => amount),
    [1_000, 1_500],
  );
  const [first] = receipt.transactions;
  fact('head', `${head.head_hash.slice(0, 32)}… over ${head.size} transactions`);
  fact(
    'verified',
    `${sealed.length} transactions of the payment, offline, by ${first?.path.length} hashes each`,
  );

  const forged = structuredClone(receipt);
  for (const each of forged.transactions) each.canonical = each.canonical.replace(/..$/, '58');
  assert.throws(() => verifyReceipt(forged, head), ReceiptRefused);
  fact('one byte off', 'refused');
}

export async function addUp({ auditor }: People, { from }: Accounts): Promise<void> {
  chapter('The totals of analytics');
  const params = { path: { id: from.id } };
  const totals = await eventually(async () => {
    const { data } = await auditor.api.get('/v1/analytics/accounts/{id}', { params });
    const [eur] = data.data;
    assert.equal(eur?.sent_count, 2 + AFFORDABLE);
    assert.equal(eur?.amount_sent, String(2 * 2_500 + AFFORDABLE * 1_000));
    return eur;
  });
  fact(
    'alice',
    `${totals.sent_count} payments sent, ${money(totals.amount_sent)}, ${totals.failed_count} declined`,
  );
  const { data: summary } = await auditor.api.get('/v1/analytics/summary');
  for (const { currency, completed_count, failed_count, success_rate } of summary.data) {
    const rate = success_rate === null ? 'no' : `${(success_rate * 100).toFixed(1)} %`;
    fact('all time', `${currency}: ${completed_count} completed, ${failed_count} declined, ${rate} success`);
  }
}

export async function prove({ auditor }: People): Promise<void> {
  chapter('The proof: the whole journal summed again, and compared with the balances');
  const proof = await provenLedger(auditor);
  for (const { currency, posted_sum, pending_sum } of proof.trial_balances) {
    fact('trial balance', `${currency}: posted ${posted_sum}, pending ${pending_sum}`);
  }
  fact('compared', `${proof.account_count} accounts, ${proof.difference_count} differ`);
  fact('journal', `${proof.transaction_count} transactions, ${proof.entry_count} entries`);
  fact('verdict', proof.verdict);
}

function between({ from, to }: Accounts) {
  return { from_account: from.id, to_account: to.id, currency: 'EUR' };
}

async function expectAvailable(
  { alice, bob }: People,
  { from, to }: Accounts,
  left: number,
  received: number,
) {
  const balances = [await balanceOf(alice, from.id), await balanceOf(bob, to.id)];
  assert.deepEqual(
    balances.map(({ available }) => available),
    [left, received],
  );
}

async function refusal(request: Promise<unknown>): Promise<PayFlowXError> {
  const outcome = await request.catch((error: unknown) => error);
  assert.ok(outcome instanceof PayFlowXError, `should have been refused, but ${outcome}`);
  return outcome;
}

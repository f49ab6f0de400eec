/** Accounts and payments for the browser tests. Each run has its own accounts, so earlier runs change nothing. */
import { createPayFlowX, type PayFlowX } from '@payflowx/client';
import { readDemo } from './browser.ts';

export function apiOf(username: string): PayFlowX {
  const { gateway, users } = readDemo();
  const password = users.find((user) => user.username === username)?.password ?? '';
  return createPayFlowX({ gateway, as: { username, password } });
}

export interface Story {
  /** Accounts of alice and bob, and three payments from alice to bob. */
  alice: string;
  bob: string;
  completed: string;
  held: string;
  declined: string;
  rule: string;
  endpoint: string;
}

export async function playStory(): Promise<Story> {
  const operator = apiOf('operator');
  const customer = apiOf('alice');
  const open = async (username: string) => {
    const owner = readDemo().users.find((user) => user.username === username)?.id ?? '';
    const body = {
      owner_id: owner,
      currency: 'EUR',
      name: `${username}’s purse`,
      limits: { daily: 500_000 },
    };
    return (await operator.post('/v1/accounts', { body })).data.id;
  };
  const [alice, bob] = await Promise.all([open('alice'), open('bob')]);
  await operator.post('/v1/deposits', { body: { account_id: alice, amount: 100_000, currency: 'EUR' } });
  const pay = async (amount: number, more = {}) => {
    const body = { from_account: alice, to_account: bob, amount, currency: 'EUR', ...more };
    return (await customer.post('/v1/payments', { body })).data.id;
  };
  const [completed, held, declined] = [
    await pay(12_800, { description: 'Shoes', reference: `order-${alice.slice(-6)}` }),
    await pay(6_400, { description: 'Rental car', capture: 'manual' }),
    await pay(400_000).catch(({ problem }) => problem.payment.id as string),
  ];
  const { data: rule } = await operator.post('/v1/rules', {
    body: { name: `large-${alice.slice(-8)}`, expression: 'payment.amount > 900000000', action: 'shadow' },
  });
  const { data: endpoint } = await customer.post('/v1/webhook-endpoints', {
    body: { url: 'http://127.0.0.1:9/hook', event_types: ['webhook_endpoint.test'] },
  });
  return { alice, bob, completed, held, declined, rule: rule.id, endpoint: endpoint.id };
}

/** Things whose pages are reached from other pages: a transaction of the journal, a reconciliation, a user. */
export async function furtherThings({ completed }: Story) {
  const operator = apiOf('operator');
  const params = { query: { payment_id: completed, limit: 1 } };
  const entry = async () => (await operator.get('/v1/ledger/entries', { params })).data.data[0];
  return {
    transaction: (await untilThere(entry)).transaction_id,
    reconciliation: await anyReconciliation(operator),
    user: readDemo().users.find(({ username }) => username === 'alice')?.id ?? '',
  };
}

async function anyReconciliation(operator: PayFlowX): Promise<string> {
  const { data } = await operator.get('/v1/ledger/reconciliations', { params: { query: { limit: 1 } } });
  return data.data[0]?.id ?? (await operator.post('/v1/ledger/reconciliations', { body: {} })).data.id;
}

/** The journal follows a moment after the payment. */
async function untilThere<T>(read: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await read();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Endpoints and rules have a maximum number. */
export async function tidyUp({ rule, endpoint }: Story): Promise<void> {
  await apiOf('alice').delete('/v1/webhook-endpoints/{id}', { params: { path: { id: endpoint } } });
  const operator = apiOf('operator');
  await operator.patch('/v1/rules/{id}', {
    params: { path: { id: rule }, header: { 'if-match': '"1"' } },
    body: { enabled: false },
  });
}

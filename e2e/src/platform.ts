/** The running platform from a user's view: the demo file, sessions, accounts, money. */
import { readFileSync } from 'node:fs';
import { createPayFlowX, type PayFlowX, type Schema } from '@payflowx/client';
import { PATIENCE_MS } from './patience.ts';
import { type Rest, restClient } from './rest.ts';

export interface DemoUser {
  username: string;
  password: string;
  id: string;
  roles: string[];
}

export interface Demo {
  gateway: string;
  users: DemoUser[];
  accounts: { id: string; owner_id: string; currency: string }[];
}

export type Account = Schema<'Account'>;
export type Payment = Schema<'Payment'>;
export type Refund = Schema<'Refund'>;

const DEMO_FILE = new URL('../../.local/demo.json', import.meta.url);

/** The file that `make up` wrote. */
export function readDemo(): Demo {
  try {
    return JSON.parse(readFileSync(DEMO_FILE, 'utf8'));
  } catch {
    throw new Error('There is no .local/demo.json. Start the platform first: make up');
  }
}

/** Both gateways of a platform with two instances of each service. The second listens on the next port. */
export function gatewaysOf({ gateway }: Demo): [string, string] {
  return [gateway, gateway.replace(/\d+$/, (port) => String(Number(port) + 1))];
}

/** A user of the platform, with the typed client, and with plain REST for tests of a response's form. */
export interface Session extends Rest {
  user: DemoUser;
  gateway: string;
  api: PayFlowX;
}

/** Logs in at the first call. */
export function sessionOf(demo: Demo, username: string, gateway = demo.gateway): Session {
  const user = demo.users.find((each) => each.username === username);
  if (!user) throw new Error(`There is no user ${username} in .local/demo.json.`);
  const api = createPayFlowX({ gateway, as: { username, password: user.password } });
  return { user, gateway, api, ...restClient(gateway, () => api.accessToken()) };
}

export interface People {
  operator: Session;
  auditor: Session;
  alice: Session;
  bob: Session;
}

export function people(demo = readDemo(), gateway = demo.gateway): People {
  const session = (username: string) => sessionOf(demo, username, gateway);
  return {
    operator: session('operator'),
    auditor: session('auditor'),
    alice: session('alice'),
    bob: session('bob'),
  };
}

/** The same people at both gateways. */
export function peopleAtBoth(demo = readDemo()): [People, People] {
  const [first, second] = gatewaysOf(demo);
  return [people(demo, first), people(demo, second)];
}

/** Opens an account of `owner` with `amount` minor units in it. */
export async function openAccount(
  operator: Session,
  owner: DemoUser,
  amount: number,
  more: Partial<Schema<'NewAccount'>> = {},
): Promise<Account> {
  const body = { owner_id: owner.id, currency: 'EUR', ...more };
  const { data: account } = await operator.api.post('/v1/accounts', { body });
  if (amount > 0) await deposit(operator, account.id, amount);
  return account;
}

export async function deposit(operator: Session, account_id: string, amount: number): Promise<Payment> {
  const body = { account_id, amount, currency: 'EUR', reference: 'opening deposit' };
  return (await operator.api.post('/v1/deposits', { body })).data;
}

export async function accountOf({ api }: Session, id: string): Promise<Account> {
  return (await api.get('/v1/accounts/{id}', { params: { path: { id } } })).data;
}

export async function balanceOf(session: Session, id: string): Promise<Account['balance']> {
  return (await accountOf(session, id)).balance;
}

export async function paymentOf({ api }: Session, id: string): Promise<Payment> {
  return (await api.get('/v1/payments/{id}', { params: { path: { id } } })).data;
}

/** Resolves with the result of `check` once it stops throwing. Rejects with its last error after the timeout. */
export async function eventually<T>(
  check: () => Promise<T>,
  { withinMs = PATIENCE_MS, everyMs = 100 } = {},
): Promise<T> {
  const until = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}

/** Returns the ledger's proof, once the ledger has consumed all events and the proof holds. */
export function provenLedger({ api }: Session, options?: { withinMs?: number }): Promise<Schema<'Proof'>> {
  return eventually(async () => {
    const { data: proof } = await api.get('/v1/ledger/proof');
    if (!proof.holds) throw new Error(`the proof does not hold: ${JSON.stringify(proof)}`);
    return proof;
  }, options);
}

/** Reconciles all services until there is no difference and no pending account. */
export function reconciled({ api }: Session, options?: { withinMs?: number }): Promise<void> {
  return eventually(async () => {
    const { data } = await api.post('/v1/ledger/reconciliations', { body: {} });
    if (!data.holds || data.unsettled_count > 0)
      throw new Error(`the services do not agree: ${JSON.stringify(data)}`);
  }, options);
}

/** The running platform as its users know it: the demo file, logins, accounts, money. */
import { readFileSync } from 'node:fs';
import { type Body, expectStatus, type Rest, restClient } from './rest.ts';

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

const DEMO_FILE = new URL('../../.local/demo.json', import.meta.url);

/** What `make up` wrote. */
export function readDemo(): Demo {
  try {
    return JSON.parse(readFileSync(DEMO_FILE, 'utf8'));
  } catch {
    throw new Error('There is no .local/demo.json. Start the platform first: make up');
  }
}

export interface Session extends Rest {
  user: DemoUser;
  token: string;
}

export async function logIn(demo: Demo, username: string, gateway = demo.gateway): Promise<Session> {
  const user = demo.users.find((each) => each.username === username);
  if (!user) throw new Error(`There is no user ${username} in .local/demo.json.`);
  const credentials = { username, password: user.password };
  const answer = await restClient(gateway).post('/v1/auth/login', credentials, { key: null });
  const token: string = expectStatus(answer, 200).access_token;
  return { user, token, ...restClient(gateway, { token }) };
}

/** A new account of `owner` with `amount` minor units in it. */
export async function openAccount(
  operator: Session,
  owner: DemoUser,
  amount: number,
  more: object = {},
): Promise<Body> {
  const request = { owner_id: owner.id, currency: 'EUR', ...more };
  const account = expectStatus(await operator.post('/v1/accounts', request), 201);
  if (amount > 0) await deposit(operator, account.id, amount);
  return account;
}

export async function deposit(operator: Session, accountId: string, amount: number): Promise<Body> {
  const request = { account_id: accountId, amount, currency: 'EUR', reference: 'opening deposit' };
  return expectStatus(await operator.post('/v1/deposits', request), 201);
}

export async function balanceOf(session: Session, accountId: string): Promise<Body> {
  return expectStatus(await session.get(`/v1/accounts/${accountId}`), 200).balance;
}

/** Resolves with what `check` returns once it stops throwing; rejects with its last error when time is over. */
export async function eventually<T>(
  check: () => Promise<T>,
  { withinMs = 30_000, everyMs = 100 } = {},
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

/** The ledger's proof, once the ledger has consumed everything and it holds. */
export function provenLedger(auditor: Session, options?: { withinMs?: number }): Promise<Body> {
  return eventually(async () => {
    const proof = expectStatus(await auditor.get('/v1/ledger/proof'), 200);
    if (!proof.holds) throw new Error(`the proof does not hold: ${JSON.stringify(proof)}`);
    return proof;
  }, options);
}

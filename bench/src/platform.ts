/** The running platform as the load generator meets it: logins, funded accounts, one payment after the other. */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Pool } from 'undici';

// biome-ignore lint/suspicious/noExplicitAny: whatever the platform answers.
type Json = any;

export interface Answer {
  status: number;
  body: Json;
}

export interface Client {
  get(path: string): Promise<Answer>;
  post(path: string, body: object): Promise<Answer>;
  close(): Promise<void>;
}

const DEMO_FILE = new URL('../../.local/demo.json', import.meta.url);

/** A client that is logged in as one of the demo's users, over at most `connections` connections that stay open. */
export async function connect(username: string, connections: number): Promise<Client> {
  const demo = JSON.parse(readFileSync(DEMO_FILE, 'utf8'));
  const user = demo.users.find((each: { username: string }) => each.username === username);
  const pool = new Pool(demo.gateway, { connections, pipelining: 1 });
  let authorization = '';

  const send = async (method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> => {
    const response = await pool.request({
      method,
      path,
      headers: { authorization, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.body.text();
    return { status: response.statusCode, body: text === '' ? null : JSON.parse(text) };
  };

  const { body } = await send('POST', '/v1/auth/login', { username, password: user.password });
  authorization = `Bearer ${body.access_token}`;
  return {
    get: (path) => send('GET', path),
    post: (path, request) => send('POST', path, request),
    close: () => pool.close(),
  };
}

/** Accounts of one customer, each with enough in it for the whole run. */
export async function openAccounts(operator: Client, count: number): Promise<string[]> {
  const { body: users } = await operator.get('/v1/users?limit=100');
  const owner = users.data.find((user: { username: string }) => user.username === 'alice');
  const open = async () => {
    const { body: account } = await operator.post('/v1/accounts', {
      owner_id: owner.id,
      currency: 'EUR',
      name: 'bench',
    });
    const deposit = { account_id: account.id, amount: 1_000_000_000, currency: 'EUR' };
    const { status } = await operator.post('/v1/deposits', deposit);
    if (status !== 201) throw new Error(`a deposit was answered with ${status}`);
    return account.id as string;
  };
  return Promise.all(Array.from({ length: count }, open));
}

/** Creates Consul's policies and tokens: each service may register its own name only, and read all others. */
import { readFileSync } from 'node:fs';
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { Secrets } from '../secrets.ts';

const SERVICES = [
  'gateway',
  'auth',
  'authorization',
  'payment',
  'ledger',
  'notification',
  'analytics',
] as const;

/** `reader` is for people and scripts. */
export const CONSUL_USERS = [...SERVICES, 'tests', 'reader'] as const;
export type ConsulUser = (typeof CONSUL_USERS)[number];

const READ_ALL = 'service_prefix "" { policy = "read" }\nnode_prefix "" { policy = "read" }\n';

/** The right to write a service includes its certificate of Consul's Connect CA. */
function rulesOf(user: ConsulUser): string {
  if (user === 'reader') return READ_ALL;
  if (user === 'tests') return `${READ_ALL}service_prefix "test-" { policy = "write" }\n`;
  return `${READ_ALL}service "${user}" { policy = "write" }\n`;
}

export const managementToken = (secret: Secrets): string => secret('uuid/consul/management');
export const consulToken = (user: ConsulUser, secret: Secrets): string => secret(`uuid/consul/${user}/token`);

export interface ConsulAccess {
  readonly url: string;
  readonly caFile?: string | undefined;
  readonly token?: string | undefined;
}

export type Management = Required<ConsulAccess>;

/** Creates or corrects policies and tokens. Safe to repeat. */
export async function provisionConsul(management: Management, secret: Secrets): Promise<void> {
  for (const user of CONSUL_USERS) {
    await ensurePolicy(management, user);
    await ensureToken(management, user, secret);
  }
}

const policyOf = (user: ConsulUser) => `payflowx-${user}`;

async function ensurePolicy(management: Management, user: ConsulUser): Promise<void> {
  const wanted = { Name: policyOf(user), Rules: rulesOf(user) };
  const found = await ask(management, 'GET', `/v1/acl/policy/name/${wanted.Name}`);
  const { ID = '', Rules } = (found ?? {}) as { ID?: string; Rules?: string };
  if (Rules === wanted.Rules) return;
  await ask(management, 'PUT', ID ? `/v1/acl/policy/${ID}` : '/v1/acl/policy', wanted);
}

async function ensureToken(management: Management, user: ConsulUser, secret: Secrets): Promise<void> {
  const SecretID = consulToken(user, secret);
  const wanted = { Description: policyOf(user), Policies: [{ Name: policyOf(user) }] };
  const found = await ask({ ...management, token: SecretID }, 'GET', '/v1/acl/token/self');
  const { AccessorID, Policies = [] } = (found ?? {}) as {
    AccessorID?: string;
    Policies?: { Name: string }[];
  };
  const [policy, ...others] = Policies;
  if (policy?.Name === policyOf(user) && others.length === 0) return;
  if (AccessorID) await ask(management, 'PUT', `/v1/acl/token/${AccessorID}`, wanted);
  else await ask(management, 'PUT', '/v1/acl/token', { ...wanted, SecretID });
}

/** Returns the answer, or undefined if there is no such thing. Rejects for any other failure. */
export function ask(
  { url, caFile, token }: ConsulAccess,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const request = url.startsWith('https:') ? requestSecure : requestPlain;
  const headers = token ? { 'x-consul-token': token } : {};
  const options = { method, headers, ...(caFile && { ca: readFileSync(caFile) }), timeout: 5_000 };
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, url), options, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      answer.on('error', reject).on('end', () => {
        const { statusCode = 0 } = answer;
        if (statusCode === 200) resolve(text && JSON.parse(text));
        // Consul answers 403 for a token or policy that does not exist.
        else if (statusCode === 404 || /not found|does not exist/i.test(text)) resolve(undefined);
        else reject(new Error(`Consul answered ${statusCode} to ${method} ${path}: ${text}`));
      });
    });
    asked.on('timeout', () => asked.destroy(new Error('Consul did not answer in time.')));
    asked.on('error', reject);
    asked.end(body && JSON.stringify(body));
  });
}

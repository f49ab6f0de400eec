/** The rights of a client of Consul, found out by trying. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

export interface ConsulClient {
  url: string;
  ca: string;
  token: string | undefined;
}

/** With the settings that the process of a service has. Undefined if it has none. */
export function consulOf({
  CONSUL_URL: url,
  CONSUL_CA_FILE: caFile = '',
  CONSUL_TOKEN: token,
}: Readonly<Record<string, string>>): ConsulClient | undefined {
  return url ? { url, ca: readFileSync(caFile, 'utf8'), token } : undefined;
}

export interface ConsulAnswer {
  status: number;
  body: string;
}

export function ask(
  { url, ca, token }: ConsulClient,
  method: 'GET' | 'PUT' | 'DELETE',
  path: string,
  body?: object | string,
): Promise<ConsulAnswer> {
  const headers = token ? { 'x-consul-token': token } : {};
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, headers, ca, timeout: 10_000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text })).on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error('Consul did not answer in time.')));
    sent.on('error', reject);
    sent.end(typeof body === 'string' ? body : body && JSON.stringify(body));
  });
}

/** Acts that no service and no stranger may do. Each is a method, a path, and a body. */
const ACTS: Record<string, ['GET' | 'PUT', string, (object | string)?]> = {
  'write a key': ['PUT', '/v1/kv/blast-radius', 'x'],
  'read keys': ['GET', '/v1/kv/?recurse'],
  'list tokens': ['GET', '/v1/acl/tokens'],
  'create a token': ['PUT', '/v1/acl/token', { Policies: [{ Name: 'global-management' }] }],
  'create a policy': ['PUT', '/v1/acl/policy', { Name: 'blast-radius', Rules: '' }],
  'register past the agent': [
    'PUT',
    '/v1/catalog/register',
    { Node: 'x', Address: '127.0.0.1', Service: { Service: 'authorization', Port: 1 } },
  ],
  'change the CA': ['PUT', '/v1/connect/ca/configuration', { Provider: 'consul', Config: {} }],
  'read the configuration of the agent': ['GET', '/v1/agent/self'],
  'read the log of the agent': ['GET', '/v1/agent/monitor'],
  'reload the agent': ['PUT', '/v1/agent/reload'],
  'take a snapshot': ['GET', '/v1/snapshot'],
  'read the keys of the gossip': ['GET', '/v1/operator/keyring'],
  'fire an event': ['PUT', '/v1/event/fire/blast-radius', 'x'],
  'remove a node': ['PUT', '/v1/catalog/deregister', { Node: 'blast-radius' }],
};

/** The names of the acts that Consul did not refuse. A read that finds nothing, because all is hidden, counts as refused. */
export async function permittedActs(client: ConsulClient): Promise<string[]> {
  const outcomes = await Promise.all(
    Object.entries(ACTS).map(async ([name, [method, path, body]]) => {
      const { status } = await ask(client, method, path, body);
      return { name, isPermitted: status < 400 };
    }),
  );
  return outcomes.filter(({ isPermitted }) => isPermitted).map(({ name }) => name);
}

/** An id that no instance has. It is removed again if it could be registered. */
const ID = 'blast-radius';

export async function mayRegister(client: ConsulClient, name: string): Promise<boolean> {
  const { status } = await ask(client, 'PUT', '/v1/agent/service/register', { ID, Name: name, Port: 1 });
  if (status === 200) await ask(client, 'PUT', `/v1/agent/service/deregister/${ID}`);
  return status === 200;
}

/** The certificate of Consul's Connect CA, with its key. */
export async function mayGetCertificate(client: ConsulClient, name: string): Promise<boolean> {
  const { status } = await ask(client, 'GET', `/v1/agent/connect/ca/leaf/${name}`);
  return status === 200;
}

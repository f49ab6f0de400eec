/** Everything that the process of a service holds. An attacker who takes over the process has all of it. */
import { readFileSync } from 'node:fs';
import { allPids } from './processes.ts';
import type { ClientCertificate } from './tls.ts';

export type Environment = Readonly<Record<string, string>>;

/** The environment of each service, by name. */
export async function environmentsOf(services: readonly string[]): Promise<Map<string, Environment>> {
  const pids = await allPids();
  return new Map(services.map((service) => [service, environmentOf(pids[service] ?? 0)]));
}

/** With the contents of the files that have its secrets. */
function environmentOf(pid: number): Environment {
  const variables = readFileSync(`/proc/${pid}/environ`, 'utf8');
  const pairs = variables.split('\0').filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => withContents(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))),
  );
}

/** Files of TLS and authorities are settings of their own: they have no variable without `_FILE`. */
function withContents(name: string, value: string): [string, string] {
  const [, secret] = /^(?!TLS_)(.*(?:KEY|PASSWORD|SECRET|TOKEN|URL))_FILE$/.exec(name) ?? [];
  return secret === undefined ? [name, value] : [secret, readFileSync(value, 'utf8')];
}

/** The certificate of the process, from its files. */
export function certificateOf(environment: Environment): ClientCertificate {
  const { TLS_CERT_FILE: certFile = '', TLS_KEY_FILE: keyFile = '' } = environment;
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

/** The values of the variables that contain a secret. */
export function secretsOf(environment: Environment): string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    if (/(SECRET|PASSWORD|KEY|TOKEN)$/.test(name) && value !== '') return [value];
    const password = URL.canParse(value) ? new URL(value).password : '';
    return password === '' ? [] : [password];
  });
}

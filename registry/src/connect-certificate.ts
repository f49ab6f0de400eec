/** Follows the certificate that Consul's Connect CA issues for one service, and the CAs to trust, by blocking queries. */

import type Consul from 'consul';
import { backoff, CONSUL_BACKOFF } from './backoff.ts';
import { openConsul } from './consul-client.ts';
import type { RegistryOptions } from './membership.ts';

/** All values are PEM. */
export interface ConnectCertificate {
  /** The certificate, followed by its intermediate CAs. */
  cert: string;
  key: string;
  /** All CAs that are trusted now, old ones during a rotation too. */
  ca: string;
}

/** How long Consul may hold a query while nothing changes. The agent renews a certificate only while a query waits for it. */
const LONGEST_QUERY = '60s';

/**
 * Calls `onCertificate` with the first certificate and at each renewal. If Consul is unavailable, the watch continues, and the last
 * certificate stays. Returns a function that stops the watch.
 */
export function watchConnectCertificate(
  { consul: connection, log }: RegistryOptions,
  service: string,
  onCertificate: (certificate: ConnectCertificate) => void,
): () => void {
  const consul = openConsul(connection);
  const ask = asking(consul, connection.token);
  let leaf: { cert: string; key: string } | undefined;
  let ca: string | undefined;
  const report = () => {
    if (leaf !== undefined && ca !== undefined) onCertificate({ ...leaf, ca });
  };
  const watches = [
    watch<Leaf>(ask, `/agent/connect/ca/leaf/${service}`, log, ({ CertPEM: cert, PrivateKeyPEM: key }) => {
      leaf = { cert, key };
      report();
    }),
    watch<Roots>(ask, '/agent/connect/ca/roots', log, ({ Roots }) => {
      ca = Roots.map(({ RootCert }) => RootCert).join('\n');
      report();
    }),
  ];
  return () => {
    for (const stop of watches) stop();
    consul.destroy();
  };
}

/** The fields of Consul's answers that are used here. */
interface Leaf {
  CertPEM: string;
  PrivateKeyPEM: string;
}
interface Roots {
  Roots: { RootCert: string }[];
}

function watch<Answer>(
  ask: Ask,
  path: string,
  log: RegistryOptions['log'],
  onChange: (answer: Answer) => void,
): () => void {
  const delays = backoff(CONSUL_BACKOFF);
  let isUnavailable = false;
  let stopQuery = query();

  function query(): () => void {
    const watching = ask(path);
    let retry: NodeJS.Timeout | undefined;

    watching.on('change', (answer: Answer) => {
      delays.reset();
      if (isUnavailable) log.info({ path }, 'Consul answers about certificates again');
      isUnavailable = false;
      onChange(answer);
    });
    // Every failure starts over without an index: see watchInstances.
    watching.once('error', (err: Error) => {
      watching.on('error', () => {});
      watching.end();
      if (!isUnavailable)
        log.warn({ path, err }, 'Consul is unavailable; keeping the present certificate, if any');
      isUnavailable = true;
      retry = setTimeout(() => {
        stopQuery = query();
      }, delays.nextMs());
    });

    return () => {
      clearTimeout(retry);
      watching.removeAllListeners('change');
      watching.removeAllListeners('error').on('error', () => {});
      watching.end();
    };
  }

  return () => stopQuery();
}

/** Starts a watch of a path. */
type Ask = (path: string) => ReturnType<Consul['watch']>;

/** The library has no method for the Connect CA. Its watch takes any function with these options. Only its own methods send the token. */
function asking(consul: Consul, token: string | undefined): Ask {
  const client = consul as unknown as Papi;
  const headers = token ? { 'x-consul-token': token } : {};
  const method =
    (path: string) =>
    ({ index, wait, timeout, ctx }: QueryOptions) =>
      client._get({ name: path, path, headers, query: { index, wait }, timeout, ctx }, (request, next) => {
        if (request.err) next(false, request.err);
        else next(false, undefined, [request.res, request.res?.body]);
      });
  return (path) => consul.watch({ method: method(path), options: { wait: LONGEST_QUERY } });
}

interface QueryOptions {
  index?: bigint;
  wait?: string;
  timeout?: number;
  ctx?: unknown;
}
interface Papi {
  _get(
    request: object,
    answer: (
      request: { err?: Error; res?: { body: unknown } },
      next: (isRetry: boolean, error?: Error, result?: unknown) => void,
    ) => void,
  ): Promise<unknown>;
}

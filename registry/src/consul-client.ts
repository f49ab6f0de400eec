/** Opens the client of the Consul agent. */

import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import Consul from 'consul';

export interface ConsulConnection {
  /** Such as `https://127.0.0.1:8500`. Empty: no registry. */
  url: string;
  /** PEM: the authorities that may have signed Consul's certificate. Absent: those that Node trusts. Read for each new connection. */
  readonly ca?: string;
  /** Absent: Consul's anonymous token. */
  token?: string;
}

/** Timeout of every request except blocking queries, which have their own, longer timeout. */
const REQUEST_TIMEOUT_MS = 2_000;

/** Opens a client of the Consul agent. Throws if the URL is no http(s) URL. */
export function openConsul(connection: ConsulConnection): Consul {
  const { url: address, token } = connection;
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Error(
      `CONSUL_URL must be an http or https URL such as http://127.0.0.1:8500, not "${address}".`,
    );
  }
  const secure = url.protocol === 'https:';
  // The library takes baseUrl, timeout and agent but its types do not name them; without a timeout a request waits for ever.
  const options = {
    secure,
    baseUrl: `${url.href.replace(/\/+$/, '')}/v1`,
    timeout: REQUEST_TIMEOUT_MS,
    agent: secure ? new AgentOfConnection(connection) : new HttpAgent({ keepAlive: true }),
    ...(token && { defaults: { token } }),
  };
  return new Consul(options);
}

/** Reads the authorities for each connection: another program replaces them when an authority is renewed. */
class AgentOfConnection extends HttpsAgent {
  readonly #connection: ConsulConnection;
  constructor(connection: ConsulConnection) {
    super({ keepAlive: true });
    this.#connection = connection;
  }

  override createConnection(
    options: RequestOptions,
    callback: Parameters<HttpsAgent['createConnection']>[1],
  ): ReturnType<HttpsAgent['createConnection']> {
    const { ca } = this.#connection;
    return super.createConnection({ ...options, ...(ca && { ca }) }, callback);
  }
}

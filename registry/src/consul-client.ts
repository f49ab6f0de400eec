/** Opens the client of the Consul agent. */

import Consul from 'consul';

/** Timeout of every request except blocking queries, which have their own, longer timeout. */
const REQUEST_TIMEOUT_MS = 2_000;

/** Opens a client of the Consul agent at `consulUrl`, such as `http://127.0.0.1:8500`. Throws if that is no http(s) URL. */
export function openConsul(consulUrl: string): Consul {
  const url = URL.parse(consulUrl);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Error(
      `CONSUL_URL must be an http or https URL such as http://127.0.0.1:8500, not "${consulUrl}".`,
    );
  }
  // The library takes baseUrl and timeout but its types do not name them; without a timeout a request waits for ever.
  const options = {
    secure: url.protocol === 'https:',
    baseUrl: `${url.href.replace(/\/+$/, '')}/v1`,
    timeout: REQUEST_TIMEOUT_MS,
  };
  return new Consul(options);
}

/**
 * Sends one webhook over HTTP. The receiver is a stranger: it may be slow, lie about lengths, redirect, or never end its response. So time
 * and size are bounded, and the address that is connected to is checked.
 */
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type AddressPolicy, hostOf } from './address-policy.ts';

export interface Answer {
  /** Undefined if there was no response. */
  status: number | undefined;
  latencyMs: number;
  /** The first KiB of the body. */
  response: string;
  /** Empty if the status is 2xx. */
  error: string;
  retryAfter: string | undefined;
  /** True if the sandbox counts the attempt as failed. The next one then comes as soon as after a first failure. */
  isPlayed?: boolean;
}

export interface WebhookSender {
  /** Never rejects. A response with status 2xx that begins in time is a success, whatever its body. */
  send(url: string, headers: Record<string, string>, body: string, stopping: AbortSignal): Promise<Answer>;
  close(): void;
}

export const TIMEOUT_MS = 15_000;
/** More of a body is not read. */
const KEPT_BYTES = 1_024;
/** After the headers, the rest of the response is only kept for the owner to read. */
const BODY_MS = 1_000;
const MAX_IDLE_SOCKETS = 256;
const IDLE_SOCKET_MS = 4_000;

export function createWebhookSender(policy: AddressPolicy, { timeoutMs = TIMEOUT_MS } = {}): WebhookSender {
  const options = { keepAlive: true, maxFreeSockets: MAX_IDLE_SOCKETS, timeout: IDLE_SOCKET_MS };
  const agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) };
  const pinned = pinnedLookup(policy);

  function attempt(
    target: URL,
    headers: Record<string, string>,
    body: string,
    signal: AbortSignal,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const isSecure = target.protocol === 'https:';
      const settings: RequestOptions = {
        method: 'POST',
        agent: agents[target.protocol as 'http:' | 'https:'],
        lookup: pinned,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        signal,
      };
      const sent = (isSecure ? httpsRequest : httpRequest)(target, settings);
      sent.on(
        'response',
        (response) => void readStart(response).then((start) => resolve({ response, start })),
      );
      // 101: nothing else is emitted, not even an error. Without this listener the request would never end.
      sent.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve({ response, start: '' });
      });
      sent.on('error', (error) => reject(Object.assign(error, { onReusedSocket: sent.reusedSocket })));
      sent.end(body);
    });
  }

  return {
    async send(url, headers, body, stopping) {
      const startedAt = performance.now();
      const expiry = AbortSignal.timeout(timeoutMs);
      const signal = AbortSignal.any([expiry, stopping]);
      const answer = (fields: Partial<Answer>): Answer => ({
        status: undefined,
        response: '',
        error: '',
        retryAfter: undefined,
        latencyMs: Math.round(performance.now() - startedAt),
        ...fields,
      });
      const target = new URL(url);
      const host = hostOf(target);
      if (isIP(host) && !policy.mayReach(host)) return answer({ error: NOT_PUBLIC });
      for (;;) {
        try {
          const { response, start } = await attempt(target, headers, body, signal);
          const status = response.statusCode ?? 0;
          return answer({
            status,
            response: start,
            error: errorOf(status),
            retryAfter: response.headers['retry-after'],
          });
        } catch (error) {
          // The receiver closed an idle connection at the moment when it was used again.
          if (isStale(error) && !signal.aborted) continue;
          return answer({
            error: expiry.aborted ? `no response within ${timeoutMs / 1_000} s` : reasonOf(error),
          });
        }
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

interface Reply {
  response: IncomingMessage;
  start: string;
}

const NOT_PUBLIC = 'the address is not public';
const NO_ADDRESS = 'the name has no address';

/** Resolves a name, and refuses it if one of its addresses is not allowed. The connection uses these addresses and no others. */
function pinnedLookup(policy: AddressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    void policy.addressesOf(hostname).then((addresses) => {
      const [first] = addresses;
      if (!first) callback(new Error(NO_ADDRESS), '', 0);
      else if (!addresses.every(({ address }) => policy.mayReach(address)))
        callback(new Error(NOT_PUBLIC), '', 0);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** Reads the first KiB of a body. Ends the connection if there is more, or if the rest does not come soon. */
async function readStart(response: IncomingMessage): Promise<string> {
  const timer = setTimeout(() => response.destroy(), BODY_MS);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > KEPT_BYTES) break;
    }
  } catch {
    // The body is incomplete. The status has already decided.
  } finally {
    clearTimeout(timer);
    if (!response.complete) response.destroy();
  }
  // Postgres cannot store NUL. Other bytes that are no UTF-8 become a replacement character.
  return Buffer.concat(chunks).subarray(0, KEPT_BYTES).toString().replaceAll('\0', '\uFFFD');
}

function errorOf(status: number): string {
  if (status >= 200 && status < 300) return '';
  if (status >= 300 && status < 400) return `status ${status}: redirects are not followed`;
  return `status ${status}`;
}

function isStale(error: unknown): boolean {
  const { code, onReusedSocket } = error as { code?: string; onReusedSocket?: boolean };
  return onReusedSocket === true && (code === 'ECONNRESET' || code === 'EPIPE');
}

/** Fit for the owner of the endpoint: no address inside the platform is in it. */
function reasonOf(error: unknown): string {
  const { code, message } = error as Error & { code?: string };
  if (message === NOT_PUBLIC || message === NO_ADDRESS) return message;
  return REASONS[code ?? ''] ?? (code === undefined ? 'the request failed' : `the request failed: ${code}`);
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
  HPE_HEADER_OVERFLOW: 'the headers of the response are too large',
  ABORT_ERR: 'the service stopped meanwhile',
};

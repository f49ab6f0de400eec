/** Sends operations with minimal CPU: undici's lowest interface, persistent connections, no pipelining. */
import { Pool } from 'undici';
import type { Operation, OperationAnswer } from './operation.ts';

export interface Sender {
  /** Resolves with undefined if there was no response in time. */
  send(operation: Operation, authorization: string): Promise<OperationAnswer | undefined>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 30_000;

/** Several gateways take turns. */
export function createSender(gateways: readonly string[], connections: number): Sender {
  const settings = { pipelining: 1, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS };
  const each = Math.ceil(connections / gateways.length);
  const pools = gateways.map((gateway) => new Pool(gateway, { ...settings, connections: each }));
  let turn = 0;

  return {
    send(operation, authorization) {
      const pool = pools[turn++ % pools.length] as Pool;
      return new Promise((resolve) => {
        let status = 0;
        let replayed = false;
        let body = '';
        pool.dispatch(requestOf(operation, authorization), {
          onRequestStart() {},
          onResponseStart(_controller, statusCode, headers) {
            status = statusCode;
            replayed = headers['idempotent-replayed'] === 'true';
          },
          onResponseData(_controller, chunk) {
            // Responses to be compared are kept as text; of the others only the beginning.
            if (operation.whole || operation.first !== undefined) body += chunk.toString('latin1');
            else if (body === '') body = chunk.toString('latin1', 0, 64);
          },
          onResponseEnd: () => resolve({ status, replayed, body }),
          onResponseError: () => resolve(undefined),
        });
      });
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}

function requestOf({ method, path, key, body }: Operation, authorization: string) {
  if (method === 'GET') return { method, path, headers: ['authorization', authorization] };
  const headers = [
    'authorization',
    authorization,
    'content-type',
    'application/json',
    'idempotency-key',
    key ?? '',
  ];
  return { method, path, headers, body: body ?? '' };
}

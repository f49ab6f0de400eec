/** Sends operations at the least cost to the generator: undici's lowest interface, connections that stay open, no pipelining. */
import { Pool } from 'undici';
import type { Operation, OperationAnswer } from './operation.ts';

export interface Sender {
  /** Resolves with undefined where there was no answer in time. */
  send(operation: Operation, authorization: string): Promise<OperationAnswer | undefined>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 30_000;

/** Several gateways are asked in turn. */
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
            // Answers that are compared are text as it came; of the others the beginning will do.
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

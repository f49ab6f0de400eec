/** The gateway sends a call again if the connection broke, but never one that would then be done twice. */
import { status as grpc } from '@grpc/grpc-js';
import { idempotentRpcs, PATIENCE_MS } from '@payflowx/chassis/testing';
import { AuthServiceService } from '@payflowx/proto/auth';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFINITIONS, type Platform, Refusal, startPlatform } from './platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform?.close());

const RPCS = Object.entries(DEFINITIONS).flatMap(([service, definition]) =>
  Object.entries(definition).map(([rpc, method]) => ({
    service: service as keyof typeof DEFINITIONS,
    rpc,
    method,
  })),
);

type Send = (request: unknown, settings: { deadlineMs: number }) => Promise<unknown>;

it('only RPCs that their contract calls idempotent are sent again', async () => {
  const sent = await Promise.all(
    RPCS.map(async ({ service, rpc, method }) => {
      let calls = 0;
      platform.fakes[service][rpc] = () => {
        calls += 1;
        throw new Refusal('DATABASE_UNAVAILABLE', grpc.UNAVAILABLE);
      };
      const send = platform.neighbours[service][rpc as never] as Send;
      await send(method.requestDeserialize(Buffer.alloc(0)), { deadlineMs: PATIENCE_MS }).catch(() => {});
      return { path: method.path, calls };
    }),
  );
  // A refresh is idempotent by the request id, which its contract does not demand and the gateway always sends.
  const idempotent = new Set([...idempotentRpcs(), AuthServiceService.refreshTokens.path]);
  const repeated = sent.filter(({ calls }) => calls > 1).map(({ path }) => path);
  expect(repeated.filter((path) => !idempotent.has(path))).toEqual([]);
  // The test would see nothing if no call arrived, or if none was sent again.
  expect(sent.filter(({ calls }) => calls === 0)).toEqual([]);
  expect(repeated.length).toBeGreaterThan(30);
});

/** The live figures of a service: its stages and its dead letters. */
import { PipelineServiceClient } from '@payflowx/proto/pipeline';
import { afterEach, expect, it } from 'vitest';
import { pipelineService, type Stage } from '../src/messaging/pipeline-service.ts';
import { connectGrpc } from '../src/rpc/client.ts';
import { serveGrpc } from '../src/rpc/server.ts';
import {
  createTestIdentity,
  PATIENCE_MS,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '../src/testing/index.ts';

const identity = createTestIdentity();
const stopping: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop();
});

async function serve(deps: Omit<Parameters<typeof pipelineService>[0], 'service'>) {
  const server = await serveGrpc(
    {
      ...{ host: '127.0.0.1', port: 0, reflection: false, log: testLog },
      ...{ certificates: testCertificates('ledger'), verifier: identity.verifier },
      pageTokenKey: testPageTokenKey,
    },
    [pipelineService({ service: 'ledger', ...deps })],
  );
  const target = `ipv4:127.0.0.1:${server.port}`;
  const client = connectGrpc(PipelineServiceClient, {
    ...{ target, service: 'ledger', certificates: testCertificates() },
  });
  stopping.push(
    () => client.close(),
    () => server.drain(),
  );
  return async (role: 'operator' | 'auditor' | 'customer' = 'auditor') =>
    client.getPipeline(
      {},
      { deadlineMs: PATIENCE_MS, accessToken: await identity.tokenFor({ id: 'usr_x', roles: [role] }) },
    );
}

const stage = (read: Stage['read']): Stage => ({ activity: 'consume', source: 'payment-events', read });

it('has each stage with its lag, and each source with its number of dead letters', async () => {
  const read = await serve({
    stages: [stage(async () => ({ messages: 3, seconds: 1.5 }))],
    deadLetters: [{ name: 'payment-events', count: async () => 2 }],
  });
  expect(await read()).toEqual({
    stages: [{ activity: 'consume', source: 'payment-events', waitingCount: 3n, oldestAgeMs: 1_500n }],
    deadLetters: [{ source: 'payment-events', count: 2n }],
  });
});

it('has the rest if a broker refuses or does not answer', async () => {
  const read = await serve({
    stages: [
      stage(() => Promise.reject(new Error('away'))),
      stage(() => new Promise(() => {})),
      stage(async () => ({ messages: 0, seconds: 0 })),
    ],
    deadLetters: [{ name: 'payment-events', count: () => Promise.reject(new Error('away')) }],
  });
  const { stages, deadLetters } = await read();
  expect(stages.map(({ waitingCount }) => waitingCount)).toEqual([undefined, undefined, 0n]);
  expect(deadLetters).toEqual([{ source: 'payment-events', count: undefined }]);
});

it('reads once for callers that ask at the same time', async () => {
  let readings = 0;
  const read = await serve({
    stages: [
      stage(async () => {
        readings += 1;
        return { messages: readings, seconds: 0 };
      }),
    ],
  });
  const answers = await Promise.all([read(), read('operator'), read()]);
  expect(answers.map(({ stages }) => stages[0]?.waitingCount)).toEqual([1n, 1n, 1n]);
});

it('is for operators and auditors', async () => {
  const read = await serve({ stages: [] });
  await expect(read('customer')).rejects.toMatchObject({ reason: 'ROLE_NOT_ALLOWED' });
});

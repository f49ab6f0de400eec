import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PayFlowXError } from '@payflowx/client';
import { afterEach, expect, it } from 'vitest';
import type { Environment } from './environment.ts';
import { type Following, followEvents } from './event-stream.ts';

const closing: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A stream that answers each connection with the next text or status, and then ends it. */
async function streamOf(...answers: (string | number)[]) {
  const asked: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
  const server = createServer(({ url, headers }, response) => {
    asked.push({ url, headers });
    const answer = answers.shift();
    if (typeof answer === 'string') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(answer);
    } else {
      const body = JSON.stringify({ code: 'NO_MORE', detail: 'No more.', request_id: 'req_1' });
      response.writeHead(answer ?? 404, { 'content-type': 'application/problem+json' }).end(body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment = { api: { accessToken: async () => 'token' }, target: { context: { gateway } } };
  return { asked, environment: environment as unknown as Environment };
}

const event = (id: string) => `id: ${id}\nevent: payment.completed\ndata: {"id":"${id}"}\n\n`;

/** Follows until the stream refuses. Returns the ids of the events, and the error. */
async function readAll(environment: Environment, following: Following) {
  const ids: string[] = [];
  try {
    for await (const { id } of followEvents(environment, following)) ids.push(id);
  } catch (error) {
    return { ids, error };
  }
  throw new Error('The stream has ended.');
}

it('continues after the last event when the connection breaks or the platform is unavailable, and ends when it is refused', async () => {
  const { asked, environment } = await streamOf(
    `retry: 2000\n: connected\n\n${event('evt_1')}${event('evt_2')}`,
    503,
    event('evt_3'),
    404,
  );
  const { ids, error } = await readAll(environment, { types: ['payment.completed'], after: 'evt_0' });
  expect(ids).toEqual(['evt_1', 'evt_2', 'evt_3']);
  expect(asked.map(({ headers }) => headers['last-event-id'])).toEqual(['evt_0', 'evt_2', 'evt_2', 'evt_3']);
  expect(asked[0]).toMatchObject({
    url: '/v1/events/stream?type=payment.completed',
    headers: { authorization: 'Bearer token' },
  });
  expect(error).toBeInstanceOf(PayFlowXError);
  expect(error).toMatchObject({ code: 'NO_MORE', status: 404, requestId: 'req_1' });
});

it('begins with the next event by default', async () => {
  const { asked, environment } = await streamOf(403);
  await readAll(environment, { types: [], after: undefined });
  expect(asked[0]?.url).toBe('/v1/events/stream');
  expect(asked[0]?.headers).not.toHaveProperty('last-event-id');
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import type { Call, Caller } from '@payflowx/chassis';
import { eventually } from '@payflowx/chassis/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { EVENT_ID, eventOf } from './examples.ts';
import { type Platform, Refusal, startPlatform } from './platform.ts';

let platform: Platform;
/** Events of the fake log, by position. */
let log: string[];
let calls: { afterEventId: string; position: bigint }[];

const idAt = (index: number) => `${EVENT_ID.slice(0, -2)}${(index + 16).toString(16)}`;

beforeAll(async () => {
  platform = await startPlatform();
  platform.fakes.notification.followEvents = async (
    request: { afterEventId: string; position: bigint; waitMs: number },
    _: Call,
  ) => {
    calls.push(request);
    if (request.afterEventId === '' && request.position === 0n)
      return { events: [], position: BigInt(log.length + 1) };
    const known = log.indexOf(request.afterEventId);
    if (request.afterEventId !== '' && known < 0) throw new Refusal('EVENT_NOT_FOUND', status.NOT_FOUND);
    const from = request.afterEventId === '' ? Number(request.position) - 1 : known + 1;
    const until = Date.now() + Math.min(request.waitMs, 200);
    while (log.length <= from && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
    return { events: log.slice(from).map((id) => eventOf({ id })), position: BigInt(log.length + 1) };
  };
});
afterAll(() => platform.close());
beforeEach(() => {
  log = [];
  calls = [];
});

const USER: Caller = { id: 'usr_reader', roles: ['customer'] };

async function open(lastEventId?: string, expiresInS = 300, caller = USER) {
  const token = await platform.identity.tokenFor(caller, { expiresInS });
  const closing = new AbortController();
  const response = await fetch(`${platform.url}/v1/events/stream`, {
    headers: { authorization: `Bearer ${token}`, ...(lastEventId && { 'last-event-id': lastEventId }) },
    signal: closing.signal,
  });
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  })().catch(() => {});
  return {
    response,
    ids: () => [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id),
    text: () => text,
    ended: reading,
    close: () => closing.abort(),
  };
}

it('sends events as they happen, and resumes after the last one without a gap or a duplicate', async () => {
  const first = await open();
  expect(first.response.headers.get('content-type')).toBe('text/event-stream');
  await eventually(() => expect(calls.length).toBeGreaterThan(1));
  log.push(idAt(0), idAt(1));
  await eventually(() => expect(first.ids()).toEqual([idAt(0), idAt(1)]));
  const [, data = ''] = /^data: (.*)$/m.exec(first.text()) ?? [];
  expect(JSON.parse(data)).toMatchObject({
    id: idAt(0),
    type: 'payment.refunded',
    data: { payment: { amount: 1250 } },
  });
  first.close();
  log.push(idAt(2), idAt(3));
  const second = await open(idAt(1));
  await eventually(() => expect(second.ids()).toEqual([idAt(2), idAt(3)]));
  second.close();
});

it('sends a comment while nothing happens, and ends when the token expires', async () => {
  const stream = await open(undefined, 2);
  await stream.ended;
  expect(stream.text()).toContain(': still here');
  expect(stream.text()).toContain(': the access token has expired');
});

/** Auth announces a disabled user and changed roles as a revocation of all tokens of the user, and a logout as one of the session. */
it.each<[string, string, string, number | undefined]>([
  ['its user is disabled or gets other roles', 'usr_disabled', 'usr_disabled', Date.now() / 1_000 + 60],
  ['its session ends', 'usr_leaving', 'ses_leaving', undefined],
])('ends within 5 seconds if %s', async (_, id, revoked, notBeforeS) => {
  const stream = await open(undefined, 300, { ...USER, id, sessionId: 'ses_leaving' });
  const other = await open(undefined, 300, { ...USER, id: 'usr_other' });
  await eventually(() => expect(stream.text()).toContain(': still here'));
  const revokedAt = performance.now();
  platform.revocations.add([{ id: revoked, notBeforeS, expiresAt: new Date(Date.now() + 360_000) }]);
  await stream.ended;
  expect(performance.now() - revokedAt).toBeLessThan(5_000);
  log.push(idAt(0));
  await eventually(() => expect(other.ids()).toEqual([idAt(0)]));
  expect(stream.ids()).toEqual([]);
  expect(stream.text()).toContain(': the access token is no longer valid');
  other.close();
});

it('ends without a last word if the client does not read', async () => {
  const follow = platform.fakes.notification.followEvents;
  let asked = 0;
  platform.fakes.notification.followEvents = () => {
    asked += 1;
    return { events: Array.from({ length: 50 }, () => eventOf({ id: idAt(0) })), position: 2n };
  };
  const token = await platform.identity.tokenFor({ ...USER, id: 'usr_silent' });
  const silent = connect({ port: Number(new URL(platform.url).port), host: '127.0.0.1' });
  silent.write(`GET /v1/events/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`);
  // The stream fills all buffers on its way, and then waits for its client.
  await eventually(async () => {
    const before = asked;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(before).toBeGreaterThan(0);
    expect(asked).toBe(before);
  });
  platform.revocations.add([
    { id: 'usr_silent', notBeforeS: undefined, expiresAt: new Date(Date.now() + 360_000) },
  ]);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  let text = '';
  silent.on('error', () => {});
  silent.on('data', (chunk) => {
    text += chunk;
  });
  await once(silent, 'close');
  expect(text).not.toContain('no longer valid');
  platform.fakes.notification.followEvents = follow as never;
});

it('ends if notification refuses its token', async () => {
  const stream = await open();
  await eventually(() => expect(calls.length).toBeGreaterThan(1));
  const follow = platform.fakes.notification.followEvents;
  platform.fakes.notification.followEvents = () => {
    throw new Refusal('UNAUTHENTICATED', status.UNAUTHENTICATED);
  };
  await stream.ended;
  expect(stream.text()).toContain(': the stream ends');
  platform.fakes.notification.followEvents = follow as never;
});

it('refuses an unknown position with 404, a malformed one with 400, and a sixth stream with 429', async () => {
  expect((await open(idAt(9))).response.status).toBe(404);
  expect((await open('evt_1')).response.status).toBe(400);
  const streams = await Promise.all(Array.from({ length: 5 }, () => open()));
  expect(streams.map(({ response }) => response.status)).toEqual([200, 200, 200, 200, 200]);
  const refused = await open();
  expect(refused.response.status).toBe(429);
  streams[0]?.close();
  await eventually(async () => {
    const again = await open();
    again.close();
    expect(again.response.status).toBe(200);
  });
  for (const { close } of streams) close();
});

it('does not count streams of clients that left before their token was verified', async () => {
  const { promise: keysReady, resolve } = Promise.withResolvers<void>();
  const slow = await startPlatform({}, { keysReady });
  slow.fakes.notification.followEvents = platform.fakes.notification.followEvents as never;
  const headers = { authorization: `Bearer ${await slow.identity.tokenFor(USER)}` };
  const port = Number(new URL(slow.url).port);
  for (let count = 0; count < 5; count += 1) {
    const leaving = connect({ port, host: '127.0.0.1' });
    const arrived = once(slow.server.server, 'request');
    leaving.write(
      `GET /v1/events/stream HTTP/1.1\r\nhost: x\r\nauthorization: ${headers.authorization}\r\n\r\n`,
    );
    const [{ socket }] = await arrived;
    const left = once(socket, 'close');
    leaving.destroy();
    await left;
  }
  resolve();
  const closing = new AbortController();
  const statuses = async () => {
    const { signal } = closing;
    const answers = Array.from({ length: 5 }, () =>
      fetch(`${slow.url}/v1/events/stream`, { headers, signal }),
    );
    return (await Promise.all(answers)).map(({ status }) => status);
  };
  expect(await statuses()).toEqual([200, 200, 200, 200, 200]);
  closing.abort();
  await slow.close();
});

it('keeps the position while notification is unavailable', async () => {
  const stream = await open();
  await eventually(() => expect(calls.length).toBeGreaterThan(1));
  const follow = platform.fakes.notification.followEvents;
  platform.fakes.notification.followEvents = () => {
    throw new Refusal('DATABASE_UNAVAILABLE', status.UNAVAILABLE);
  };
  log.push(idAt(0));
  await new Promise((resolve) => setTimeout(resolve, 300));
  platform.fakes.notification.followEvents = follow as never;
  await eventually(() => expect(stream.ids()).toEqual([idAt(0)]));
  stream.close();
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, describe, expect, expectTypeOf, it } from 'vitest';
import { type Schema, verifyWebhook, type WebhookEvent, WebhookRefused } from '../src/index.ts';

const SECRET = `whsec_${Buffer.from('a secret that only tests know 32').toString('base64')}`;
const OTHER = `whsec_${Buffer.from('another secret, not the same one').toString('base64')}`;
const BODY = JSON.stringify({
  id: 'evt_1',
  type: 'payment.completed',
  data: { payment: { id: 'pay_1', amount: 1250 } },
});

function headersOf(body = BODY, { secret = SECRET, at = new Date(), id = 'evt_1' } = {}) {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}

describe('verifyWebhook', () => {
  it('returns the event, from text or bytes, with any kind of headers and one of several secrets', () => {
    for (const payload of [BODY, Buffer.from(BODY)])
      for (const headers of [
        headersOf(),
        new Headers(headersOf()),
        { 'Webhook-Id': 'evt_1', ...headersOf() },
      ])
        for (const secrets of [SECRET, [SECRET], [OTHER, SECRET]])
          expect(verifyWebhook(payload, headers, secrets)).toEqual(JSON.parse(BODY));
  });

  it.each<[string, string, object, string]>([
    ['a changed body', BODY.replace('1250', '9999'), headersOf(), SECRET],
    ['another secret', BODY, headersOf(), OTHER],
    ['another id', BODY, { ...headersOf(), 'webhook-id': 'evt_2' }, SECRET],
    ['an old webhook', BODY, headersOf(BODY, { at: new Date(Date.now() - 10 * 60_000) }), SECRET],
    ['one without headers', BODY, {}, SECRET],
  ])('refuses %s', (_, body, headers, secret) => {
    expect(() => verifyWebhook(body, headers as Record<string, string>, secret)).toThrow(WebhookRefused);
  });

  it('types the data by the type of the event', () => {
    const refundOf = (event: WebhookEvent) =>
      event.type === 'payment.refunded' ? event.data.refund : undefined;
    expectTypeOf(refundOf).returns.toEqualTypeOf<Schema<'Refund'> | undefined>();
  });
});

/** The receivers of the page for integrators run as they stand there. */
const page = readFileSync(new URL('../../docs/integrators/webhooks.md', import.meta.url), 'utf8');
const running: ChildProcess[] = [];
const files: URL[] = [];
afterAll(() => {
  for (const child of running) child.kill();
  for (const file of files) rmSync(file, { force: true });
});

async function startReceiver(name: string): Promise<{ url: string; output: () => string }> {
  const [, code] = new RegExp(`\`\`\`ts receiver=${name}\n(.*?)\`\`\``, 's').exec(page) ?? [];
  if (!code) throw new Error(`The page has no receiver for ${name}.`);
  const file = new URL(`receiver-of-page-${name}.ts`, import.meta.url);
  files.push(file);
  writeFileSync(file, code);
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  const child = spawn(process.execPath, [file.pathname], {
    env: { ...process.env, PORT: String(port), WEBHOOK_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  let output = '';
  child.stdout?.on('data', (data) => {
    output += data;
  });
  const url = `http://127.0.0.1:${port}/webhooks`;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await fetch(url);
      return { url, output: () => output };
    } catch (error) {
      if (attempt > 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

it.each(['fastify', 'express'])(
  'the receiver of the page with %s verifies, processes an event once, and refuses others',
  async (name) => {
    const { url, output } = await startReceiver(name);
    const post = async (headers: object) =>
      (
        await fetch(url, {
          method: 'POST',
          body: BODY,
          headers: { 'content-type': 'application/json', ...headers },
        })
      ).status;
    expect([await post(headersOf()), await post(headersOf())]).toEqual([204, 204]);
    expect(await post(headersOf(BODY, { secret: OTHER }))).toBe(401);
    // Requests of strangers: without a signature, of another type, without a body.
    expect(await post({})).toBe(401);
    expect([401, 415]).toContain(await post({ 'content-type': 'text/plain' }));
    expect([400, 401, 415]).toContain((await fetch(url, { method: 'POST' })).status);
    expect(output()).toBe('paid pay_1 1250\n');
  },
);

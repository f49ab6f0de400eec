/** Webhooks: endpoints and deliveries, and events on a developer's machine without a public address. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Schema } from '@payflowx/client';
import { type Command, Option } from 'commander';
import { Webhook } from 'standardwebhooks';
import { act, type ListOptions, pageSize, take, toCount, toList, withLimit } from '../environment.ts';
import { followEvents } from '../event-stream.ts';
import { UsageError } from '../exit.ts';
import { done } from '../output.ts';

type EndpointEvents = Schema<'NewWebhookEndpoint'>['event_types'];

export function webhookCommands(program: Command): void {
  const webhooks = program.command('webhooks').description('events sent to your own address');
  addListen(webhooks);
  addEndpoints(webhooks);
  addDeliveries(webhooks);
}

interface ListenOptions {
  forwardTo: string;
  type?: string[];
  secret?: string;
  after?: string;
  count?: number;
}

function addListen(webhooks: Command): void {
  webhooks
    .command('listen')
    .description('forward events to a program on this machine, signed like webhooks, until Ctrl-C')
    .requiredOption('--forward-to <url>', 'such as http://localhost:3000/hook')
    .option('--type <type>', 'only of this type; several times, or with commas', toList)
    .option('--secret <secret>', 'sign with this secret (whsec_…); default: a new one, which is printed')
    .option('--after <event>', 'first those after this event')
    .option('--count <number>', 'end after this many', toCount)
    .action(
      act<ListenOptions>(async (env, _, options) => {
        const { forwardTo, type: types = [], after, count = Number.POSITIVE_INFINITY } = options;
        if (!URL.canParse(forwardTo)) throw new UsageError(`"${forwardTo}" is no URL.`);
        const secret = options.secret ?? `whsec_${randomBytes(24).toString('base64')}`;
        const signer = new Webhook(secret);
        process.stderr.write(`Forwarding to ${forwardTo}. The secret of the signatures: ${secret}\n`);
        let seen = 0;
        for await (const event of followEvents(env, { types, after })) {
          const delivery = {
            event: event.id,
            type: event.type,
            ...(await deliver(forwardTo, event, signer)),
          };
          env.output.item(
            delivery,
            ({ type, event: id, status, error }) => `${type}  ${id}  ${error ?? status}`,
          );
          seen += 1;
          if (seen >= count) return;
        }
      }),
    );
}

const ATTEMPTS = 3;
const TIMEOUT_MS = 10_000;
const PAUSE_MS = 1_000;

/** One event at a time, so that they arrive in order. A failed attempt is repeated twice, as a webhook would be. */
async function deliver(url: string, event: Schema<'Event'>, signer: Webhook) {
  const body = JSON.stringify(event);
  let error = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const at = new Date();
    const headers = {
      'content-type': 'application/json',
      'webhook-id': event.id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': signer.sign(event.id, at, body),
    };
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const { ok, status } = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
      if (ok) return { status, error: null };
      error = `answered ${status}`;
    } catch (cause) {
      error = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    }
    if (attempt < ATTEMPTS) await pause(PAUSE_MS);
  }
  return { status: null, error: `${error}, given up after ${ATTEMPTS} attempts` };
}

function addEndpoints(webhooks: Command): void {
  withLimit(webhooks.command('list'))
    .description('list webhook endpoints, newest first')
    .action(
      act<ListOptions>(async ({ api, output }, _, options) => {
        const query = pageSize(options);
        output.rows(await take(api.list('/v1/webhook-endpoints', { params: { query } }), options), [
          ['id', ({ id }) => id],
          ['url', ({ url }) => url],
          ['state', ({ state }) => state],
          ['events', ({ event_types }) => event_types.join(', ')],
        ]);
      }),
    );

  webhooks
    .command('create <url>')
    .description('send events to an address; the secret is shown once')
    .option('--type <type>', 'only of this type; several times, or with commas; default: all', toList)
    .option('--description <text>', 'for people')
    .action(
      act<{ type?: string[]; description?: string }>(async ({ api, output }, [url = ''], options) => {
        const { type = ['*'], description } = options;
        const body = { url, event_types: type as EndpointEvents, ...(description && { description }) };
        const { data } = await api.post('/v1/webhook-endpoints', { body });
        output.object(data, [
          ['id', ({ id }) => id],
          ['url', (row) => row.url],
          ['secret', ({ secret }) => secret],
        ]);
      }),
    );

  webhooks
    .command('delete <endpoint>')
    .description('send nothing to it any more')
    .action(
      act(async ({ api, format }, [id = '']) => {
        await api.delete('/v1/webhook-endpoints/{id}', { params: { path: { id } } });
        done(format, { id, deleted: true }, `Deleted ${id}.`);
      }),
    );

  webhooks
    .command('test <endpoint>')
    .description('send a test event')
    .action(
      act(async ({ api, output }, [id = '']) => {
        const params = { path: { id } };
        const { data } = await api.post('/v1/webhook-endpoints/{id}/test', { params, body: {} });
        output.object(data, [['delivery', (row) => row.id]]);
      }),
    );
}

interface DeliveryFilters extends ListOptions {
  endpoint?: string;
  state?: 'pending' | 'delivered' | 'failed';
}

function addDeliveries(webhooks: Command): void {
  withLimit(webhooks.command('deliveries'))
    .description('list deliveries, newest first')
    .option('--endpoint <id>', 'only to this endpoint')
    .addOption(
      new Option('--state <state>', 'only in this state').choices(['pending', 'delivered', 'failed']),
    )
    .action(
      act<DeliveryFilters>(async ({ api, output }, _, options) => {
        const { endpoint, state } = options;
        const query = {
          ...pageSize(options),
          ...(endpoint && { endpoint_id: endpoint }),
          ...(state && { state }),
        };
        output.rows(await take(api.list('/v1/webhook-deliveries', { params: { query } }), options), [
          ['id', ({ id }) => id],
          ['event', ({ event_id }) => event_id],
          ['state', (row) => row.state],
          ['attempts', ({ attempts }) => attempts.length, 'right'],
          ['last', ({ attempts }) => attempts.at(-1)?.error ?? attempts.at(-1)?.status],
        ]);
      }),
    );

  webhooks
    .command('redeliver <delivery>')
    .description('send a delivery again')
    .action(
      act(async ({ api, output }, [id = '']) => {
        const params = { path: { id } };
        const { data } = await api.post('/v1/webhook-deliveries/{id}/redeliver', { params, body: {} });
        output.object(data, [
          ['delivery', (row) => row.id],
          ['state', ({ state }) => state],
        ]);
      }),
    );
}

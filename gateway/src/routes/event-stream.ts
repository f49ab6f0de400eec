/**
 * Events as they happen, as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). A stream holds no state
 * but its position, so a client may continue on another instance.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { status } from '@grpc/grpc-js';
import { NeighbourError } from '@payflowx/chassis';
import type { FollowEventsResponse } from '@payflowx/proto/notification';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { accessTokenOf, EVERY_ROLE, type IsTokenValid } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { ProblemError } from '../problems/problem.ts';
import { problem } from '../schemas/answers.ts';
import { eventJson, eventTypes, typesOf } from '../schemas/event.ts';
import { EventId } from '../schemas/ids.ts';
import { query } from '../schemas/page.ts';

interface Options {
  notification: Neighbours['notification'];
  isTokenValid: IsTokenValid;
}

/** Streams of one caller on one instance. */
const MAX_STREAMS = 5;
/** Without an event, a comment is sent this often. Proxies close connections that are silent. */
const HEARTBEAT_MS = 10_000;
const CALL_MARGIN_MS = 5_000;
/** Milliseconds after which a browser connects again. */
const RETRY_MS = 2_000;
const PAUSE_MS = 1_000;
/** The token of an open stream is checked this often. It may expire or be revoked. */
const CHECK_MS = 500;
/** Milliseconds for the last comment of a stream. A client that does not read cannot keep the stream open for longer. */
const LAST_WORDS_MS = 1_000;

/** Not a reference: Fastify does not look into references for the names of headers. */
const { $id: _, ...LastEventId } = EventId;

export const eventStreamRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { notification, isTokenValid },
) => {
  const streams = new Map<string, number>();
  const stopping = new AbortController();
  app.addHook('preClose', async () => stopping.abort());

  app.get('/v1/events/stream', {
    config: { access: EVERY_ROLE, scope: 'payments:read', isLongLived: true },
    schema: {
      tags: ['events'],
      operationId: 'streamEvents',
      summary: 'Stream events as they happen, as server-sent events',
      description: `The stream begins with the next event, or after the event in \`Last-Event-ID\`: there are no gaps and no duplicates. It ends when the access token expires, and within 5 seconds when it is revoked: the session ended, the user was disabled, or its roles changed. Connect again with a new token and the id of the last event. A caller may have ${MAX_STREAMS} streams on an instance.`,
      querystring: query({ type: Type.Optional(eventTypes) }),
      headers: Type.Object({ 'last-event-id': Type.Optional(LastEventId) }),
      response: {
        200: {
          description: 'Each event has its id, its type, and the event in JSON.',
          content: { 'text/event-stream': { schema: Type.String({ examples: [': connected\n\n'] }) } },
        },
        404: problem(['EVENT_NOT_FOUND']),
        429: problem(['TOO_MANY_STREAMS']),
      },
    },
    handler: async (request, reply) => {
      const callerId = request.caller?.id ?? '';
      const open = streams.get(callerId) ?? 0;
      if (open >= MAX_STREAMS)
        throw new ProblemError(
          'TOO_MANY_STREAMS',
          `You have ${MAX_STREAMS} streams already. Close one first.`,
        );
      streams.set(callerId, open + 1);
      whenClosed(request.raw.socket, () => {
        const left = (streams.get(callerId) ?? 1) - 1;
        if (left === 0) streams.delete(callerId);
        else streams.set(callerId, left);
      });
      // The connection carries nothing else, so that its end is the end of the stream.
      reply.header('connection', 'close');
      const ending = AbortSignal.any([stopping.signal, endOfAccess(request, isTokenValid)]);
      const follow = followAs(request, notification, typesOf(request.query.type));
      const afterEventId = request.headers['last-event-id'] ?? '';
      const first = await follow({ afterEventId, position: 0n, waitMs: 0 });
      reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store');
      // Of nginx: send each event at once.
      reply.header('x-accel-buffering', 'no');
      return reply.send(Readable.from(eventsFrom(first, follow, ending), { objectMode: false }) as never);
    },
  });
};

interface Step {
  afterEventId: string;
  position: bigint;
  waitMs: number;
}
type Follow = (step: Step) => Promise<FollowEventsResponse>;

function followAs(request: FastifyRequest, notification: Options['notification'], types: string[]): Follow {
  const accessToken = accessTokenOf(request);
  return (step) =>
    notification.followEvents(
      { ...step, types },
      { accessToken, deadline: new Date(Date.now() + step.waitMs + CALL_MARGIN_MS) },
    );
}

async function* eventsFrom(first: FollowEventsResponse, follow: Follow, ending: AbortSignal) {
  yield `retry: ${RETRY_MS}\n: connected\n\n`;
  let { events, position } = first;
  const end = ended(ending);
  while (!ending.aborted) {
    for (const event of events) {
      if (ending.aborted) break;
      yield textOf(event);
    }
    const step = follow({ afterEventId: '', position, waitMs: HEARTBEAT_MS }).catch(async (error) => {
      if (isRefused(error)) return undefined;
      // Notification is unavailable for a moment. The position is kept.
      await sleep(PAUSE_MS);
      return { events: [], position };
    });
    const found = await Promise.race([step, end]);
    if (!found) break;
    ({ events, position } = found);
    if (events.length === 0) yield ': still here\n\n';
  }
  yield `: ${typeof ending.reason === 'string' ? ending.reason : 'the stream ends'}\n\n`;
}

/** Notification has its own list of revoked tokens, which may be newer than that of the gateway. */
function isRefused(error: unknown): boolean {
  const refusals: readonly status[] = [status.UNAUTHENTICATED, status.PERMISSION_DENIED];
  return error instanceof NeighbourError && refusals.includes(error.code);
}

async function ended(signal: AbortSignal): Promise<undefined> {
  if (!signal.aborted) await once(signal, 'abort');
  return undefined;
}

function textOf(message: FollowEventsResponse['events'][number]): string {
  const event = eventJson(message);
  const data = JSON.stringify(event, (_, value) => (typeof value === 'bigint' ? Number(value) : value));
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${data}\n\n`;
}

/** Aborts when the client is gone, and, with a text for the client, when its token is no longer valid. */
function endOfAccess(request: FastifyRequest, isTokenValid: IsTokenValid): AbortSignal {
  const access = new AbortController();
  const { socket } = request.raw;
  const expiresAtMs = expiryOf(request);
  const checks = setInterval(() => {
    const isExpired = Date.now() >= expiresAtMs;
    if (!isExpired && isTokenValid(request)) return;
    clearInterval(checks);
    access.abort(isExpired ? 'the access token has expired' : 'the access token is no longer valid');
    setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
  }, CHECK_MS);
  whenClosed(socket, () => {
    clearInterval(checks);
    access.abort();
  });
  return access.signal;
}

/** A client may be gone before its token is verified. Its socket then emits nothing any more. */
function whenClosed(socket: Socket, act: () => void): void {
  if (socket.destroyed) act();
  else socket.once('close', act);
}

/** The token was verified before. */
function expiryOf(request: FastifyRequest): number {
  const [, payload = ''] = accessTokenOf(request).split('.');
  const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: number };
  return exp * 1_000;
}

/** Follows the stream of events (GET /v1/events/stream). It connects again after each break, without gaps and duplicates. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Schema } from '@payflowx/client';
import { PayFlowXError } from '@payflowx/client';
import { createParser } from 'eventsource-parser';
import type { Environment } from './environment.ts';

export interface Following {
  types: readonly string[];
  /** Continue after this event. Undefined: begin with the next one. */
  after: string | undefined;
}

const PAUSE_MS = 1_000;

/** Yields events for ever. Throws for an answer that will not get better, such as 403. */
export async function* followEvents(
  { api, target }: Environment,
  { types, after }: Following,
): AsyncGenerator<Schema<'Event'>, never> {
  let lastId = after;
  const url = new URL('/v1/events/stream', target.context.gateway);
  if (types.length > 0) url.searchParams.set('type', types.join(','));
  for (;;) {
    try {
      const headers = {
        authorization: `Bearer ${await api.accessToken()}`,
        ...(lastId !== undefined && { 'last-event-id': lastId }),
      };
      const response = await fetch(url, { headers });
      if (!response.ok || response.body === null) throw await refusal(response);
      for await (const event of eventsOf(response.body)) {
        lastId = event.id;
        yield event;
      }
    } catch (error) {
      if (error instanceof PayFlowXError && !isPassing(error.status)) throw error;
    }
    await pause(PAUSE_MS);
  }
}

const isPassing = (status: number) => status === 0 || status === 429 || status >= 500;

async function refusal(response: Response): Promise<PayFlowXError> {
  const problem = (await response.json().catch(() => ({}))) as PayFlowXError['problem'];
  const { status } = response;
  const code = problem.code ?? `HTTP_${status}`;
  return new PayFlowXError(code, problem.detail ?? response.statusText, {
    ...{ status, problem },
    ...(problem.request_id && { requestId: problem.request_id }),
  });
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Schema<'Event'>> {
  const found: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => found.push(data) });
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    parser.feed(text);
    for (const data of found.splice(0)) yield JSON.parse(data) as Schema<'Event'>;
  }
}

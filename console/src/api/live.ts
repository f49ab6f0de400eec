/**
 * New events of payments, from the platform's stream. One tab follows it for all tabs of the browser, because a person may have only a
 * few streams. Lists are loaded again at an event; without the stream they are loaded every few seconds.
 */
import { createParser } from 'eventsource-parser';
import { useEffect, useRef } from 'react';
import { accessToken, onSessionEnd } from '../session/session.ts';

const NAME = 'payflowx-events';
/** The platform sends something at least every 10 s. */
const SILENT_MS = 25_000;
const RECONNECT_MS = 3_000;
/** Many events in a burst cost one load. */
const GATHER_MS = 400;
/** Between two loads while the stream is connected, in case of a change without an event. */
const WITH_STREAM_MS = 30_000;

type Message = 'alive' | 'event';

const tabs = new BroadcastChannel(NAME);
const listeners = new Set<() => void>();
let heardAt = Number.NEGATIVE_INFINITY;
let following: AbortController | undefined;

tabs.onmessage = ({ data }: MessageEvent<Message>) => hear(data);
onSessionEnd(() => following?.abort());

function hear(message: Message): void {
  heardAt = performance.now();
  if (message === 'event') for (const listener of listeners) listener();
}

function tell(message: Message): void {
  tabs.postMessage(message);
  hear(message);
}

/** Milliseconds between two loads of a list that is loaded at each event: longer while the stream is connected. */
export const liveEveryMs = (withoutMs: number) => () =>
  performance.now() - heardAt < SILENT_MS ? WITH_STREAM_MS : withoutMs;

/** Calls `load` soon after new events of payments. */
export function useNewEvents(load: () => unknown): void {
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const listener = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        latest.current();
      }, GATHER_MS);
    };
    listeners.add(listener);
    if (!following || following.signal.aborted) void follow();
    return () => {
      listeners.delete(listener);
      clearTimeout(timer);
      if (listeners.size === 0) following?.abort();
    };
  }, []);
}

/** Waits until no other tab follows the stream. Ends when no page of this tab needs it any more. */
async function follow(): Promise<void> {
  const stopping = new AbortController();
  following = stopping;
  const { signal } = stopping;
  await navigator.locks
    .request(NAME, { signal }, async () => {
      let lastId: string | undefined;
      const seen = (id: string | undefined) => {
        lastId = id ?? lastId;
        tell('event');
      };
      while (!signal.aborted) {
        if (navigator.onLine) await readStream(lastId, seen, signal).catch(() => undefined);
        await pause(RECONNECT_MS, signal);
      }
    })
    .catch(() => undefined);
}

async function readStream(
  lastId: string | undefined,
  seen: (id: string | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  const token = await accessToken();
  const headers = {
    authorization: `Bearer ${token}`,
    ...(lastId !== undefined && { 'last-event-id': lastId }),
  };
  const { ok, status, body } = await fetch('/v1/events/stream', { headers, signal });
  // The session may have been revoked elsewhere. If so, this ends it on this page too.
  if (status === 401) await accessToken(token);
  if (!ok || body === null) return;
  const parser = createParser({ onEvent: ({ id }) => seen(id) });
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    tell('alive');
    parser.feed(value);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

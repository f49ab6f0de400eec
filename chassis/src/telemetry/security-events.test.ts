import { afterEach, expect, it, vi } from 'vitest';
import { recordingLog } from '../testing/log.ts';
import { createSecurityEvents, LINES_PER_SECOND } from './security-events.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('a flood of one event leaves a few lines and one summary a second, and hides no other event', () => {
  vi.useFakeTimers();
  const { log, lines } = recordingLog();
  const events = createSecurityEvents(log);
  for (let second = 0; second < 3; second += 1) {
    for (let index = 0; index < 5_000; index += 1) events.record('token_refused', { address: '192.0.2.1' });
    events.record('refresh_token_reused', { subject: 'usr_1' });
    vi.advanceTimersByTime(1_000);
  }
  const of = (event: string) => lines.filter(({ security_event }) => security_event === event);
  expect(of('token_refused')).toHaveLength(3 * (LINES_PER_SECOND + 1));
  expect(of('token_refused').at(-1)).toMatchObject({ suppressed: 5_000 - LINES_PER_SECOND });
  expect(of('refresh_token_reused')).toHaveLength(3);
});

import { afterEach, expect, it, vi } from 'vitest';
import { recordingLog } from '../testing/log.ts';
import { LINES_PER_SECOND, securityEventsOf } from './security-events.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('a flood of one event leaves a few lines and one summary a second, and hides no other event', () => {
  vi.useFakeTimers();
  const { log, lines } = recordingLog();
  const events = securityEventsOf(log);
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

it('parts of one process, which share a log, share the limit', () => {
  vi.useFakeTimers();
  const { log, lines } = recordingLog();
  for (let part = 0; part < 3; part += 1) {
    const events = securityEventsOf(log);
    for (let index = 0; index < LINES_PER_SECOND; index += 1) events.record('access_refused', {});
  }
  expect(lines).toHaveLength(LINES_PER_SECOND);
  vi.advanceTimersByTime(1_000);
  expect(lines.at(-1)).toMatchObject({ suppressed: 2 * LINES_PER_SECOND });
});

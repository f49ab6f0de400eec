import { expect, it } from 'vitest';
import { ownExits } from './own-exits.ts';

it('a process that ended by itself is found, one that was killed or stopped is not', () => {
  const log = `2026-11-30 19:55:31,154 WARN exited: payment-2 (terminated by SIGKILL; not expected)
2026-11-30 19:55:31,192 INFO spawned: 'payment-2' with pid 11476
2026-11-30 19:56:33,999 WARN exited: ledger-2 (exit status 1; not expected)
2026-11-30 19:56:34,000 WARN exited: auth (terminated by SIGSEGV; not expected)
2026-11-30 19:56:34,791 WARN stopped: kafka (exit status 143)
2026-11-30 19:56:37,595 INFO stopped: rabbitmq (exit status 0)
`;
  expect(ownExits(log)).toEqual([
    'ledger-2 ended by itself at 2026-11-30 19:56:33,999: exit status 1',
    'auth ended by itself at 2026-11-30 19:56:34,000: terminated by SIGSEGV',
  ]);
});

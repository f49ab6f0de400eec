import { describe, expect, it } from 'vitest';
import type { Operation, OperationAnswer } from './operation.ts';
import { settledPayments } from './tally.ts';
import { seededRandom } from './testing.ts';
import { createTraffic, type Workload } from './traffic.ts';

const accounts = Array.from({ length: 100 }, (_, n) => ({ id: `acct_${n}`, owner: n % 7 }));
const LIMIT = 1_000;

function trafficOf(workload: Workload) {
  const hot = { id: 'acct_hot', owner: 0 };
  const fixed = { perPaymentLimit: LIMIT, currency: 'EUR', run: 'run', random: seededRandom() };
  return createTraffic({ workload, accounts, hot, ...fixed });
}

/** A platform that behaves correctly: declines too large payments, and replays its responses. */
function fakePlatform() {
  const answers = new Map<string, OperationAnswer>();
  let ids = 0;
  const first = ({ method, path, body = '' }: Operation): OperationAnswer => {
    if (method === 'GET') return { status: 200, replayed: false, body: '{}' };
    if (path !== '/v1/payments')
      return { status: path.endsWith('refunds') ? 201 : 200, replayed: false, body: '{}' };
    if (JSON.parse(body).amount >= LIMIT) return { status: 402, replayed: false, body: '{"type":"…"}' };
    const id = `pay_00000000-0000-7000-8000-${String(ids++).padStart(12, '0')}`;
    return { status: 201, replayed: false, body: `{"id":"${id}"}` };
  };
  return (operation: Operation): OperationAnswer => {
    const known = operation.key === undefined ? undefined : answers.get(operation.key);
    if (known) return { ...known, replayed: true };
    const answer = first(operation);
    if (operation.key !== undefined) answers.set(operation.key, answer);
    return answer;
  };
}

/** Sends `requests` requests and finishes the payments that they began. */
function drive(workload: Workload, requests: number, platform = fakePlatform()) {
  const traffic = trafficOf(workload);
  const sent: Operation[] = [];
  for (let operation = traffic.next(false); operation; operation = traffic.next(sent.length >= requests)) {
    sent.push(operation);
    traffic.answered(operation, platform(operation));
  }
  return { sent, tally: traffic.tally };
}

const share = (sent: Operation[], kind: Operation['kind']) =>
  sent.filter((operation) => operation.kind === kind).length / sent.length;

describe('traffic', () => {
  it('declines one payment in a hundred and reuses one key in a hundred', () => {
    const { sent, tally } = drive({ name: 'uniform', pairing: 'uniform' }, 100_000);
    expect(share(sent, 'decline')).toBeCloseTo(0.01, 2);
    expect(share(sent, 'replay')).toBeCloseTo(0.01, 2);
    expect(tally.declined + tally.completed + tally.replayed).toBe(sent.length);
    expect(tally).toMatchObject({ replayViolations: 0, unexpected: {}, unknown: 0 });
  });

  it('reads half of the time in the workload with reads', () => {
    const { sent } = drive({ name: 'reads', pairing: 'uniform', reads: true }, 20_000);
    expect(share(sent, 'read')).toBeCloseTo(0.5, 1);
  });

  it('ends every authorized payment: eight in ten captured, one cancelled, one refunded', () => {
    const { tally } = drive({ name: 'lifecycle', pairing: 'uniform', lifecycle: true }, 40_000);
    expect(tally.captured + tally.cancelled).toBe(tally.authorized);
    expect(tally.cancelled / tally.authorized).toBeCloseTo(0.1, 1);
    expect(tally.refunded / tally.authorized).toBeCloseTo(0.1, 1);
    expect(settledPayments(tally)).toBe(tally.authorized);
  });

  it('takes each step as a permitted user: the payer captures, the receiver refunds', () => {
    const { sent } = drive({ name: 'lifecycle', pairing: 'into-one', lifecycle: true }, 1_000);
    const refunds = sent.filter(({ kind }) => kind === 'refund');
    expect(refunds.length).toBeGreaterThan(0);
    expect(refunds.every(({ user }) => user === 0)).toBe(true);
    expect(new Set(sent.filter(({ kind }) => kind === 'capture').map(({ user }) => user)).size).toBe(7);
  });

  it.each<[string, (answer: OperationAnswer) => OperationAnswer]>([
    ['is not marked as one', (answer) => ({ ...answer, replayed: false })],
    ['has another body', (answer) => ({ ...answer, body: '{"id":"pay_other"}' })],
    ['has another status', (answer) => ({ ...answer, status: 409 })],
  ])('finds a replay that %s', (_, spoil) => {
    const honest = fakePlatform();
    const { tally } = drive({ name: 'uniform', pairing: 'uniform' }, 5_000, (operation) => {
      const answer = honest(operation);
      return operation.kind === 'replay' ? spoil(answer) : answer;
    });
    expect(tally.replayViolations).toBeGreaterThan(20);
    expect(tally.violations.length).toBe(5);
  });

  it('counts a request without a definite response as unknown, not as lost or settled', () => {
    const { tally } = drive({ name: 'uniform', pairing: 'uniform' }, 100, () => ({
      status: 503,
      replayed: false,
      body: '',
    }));
    expect(tally.unknown).toBe(100);
    expect(settledPayments(tally)).toBe(0);
  });
});

/** Chooses the next request and judges its response. Pure: no HTTP, no clock. */
import type { Account } from '../platform/account-book.ts';
import type { Operation, OperationAnswer } from './operation.ts';
import { createPairs, type Pair, type Pairing } from './pairs.ts';
import { emptyTally, type Tally } from './tally.ts';

export interface Workload {
  name: string;
  pairing: Pairing;
  /** Payments are authorized. Then 80 % are captured, 10 % cancelled, 10 % captured and refunded. */
  lifecycle?: boolean;
  /** Every second request is a read. */
  reads?: boolean;
}

export interface TrafficDeps {
  workload: Workload;
  accounts: readonly Account[];
  hot: Account;
  /** The limit per payment of every account. Hardly any account has as much. */
  perPaymentLimit: number;
  currency: string;
  /** Makes this run's keys unique. */
  run: string;
  random: () => number;
}

export interface Traffic {
  /** The next request. While `finishing`, only steps of payments in progress; undefined if there is none. */
  next(finishing: boolean): Operation | undefined;
  /** `answer` is undefined if there was no response in time. */
  answered(operation: Operation, answer: OperationAnswer | undefined): void;
  tally: Tally;
  /** The most recent accepted payments. */
  lastPayments: string[];
}

const DECLINE_SHARE = 0.01;
const REPLAY_SHARE = 0.01;
const READ_SHARE = 0.5;
/** For authorized payments. All others are captured at once. */
const CANCEL_SHARE = 0.1;
const REFUND_SHARE = 0.1;
const MAX_AMOUNT = 100;
/** Enough first responses for the replays to come. */
const REPLAYABLE = 32;
const KEEP_SHARE = 0.05;
const RECENT = 256;
const LAST = 64;
const MAX_VIOLATIONS = 5;

export function createTraffic(deps: TrafficDeps): Traffic {
  const { workload, random, run, currency, perPaymentLimit } = deps;
  const pickPair = createPairs(workload.pairing, deps, random);
  const tally = emptyTally();
  const followUps: Operation[] = [];
  const replayable: Operation[] = [];
  const recent: { id: string; payer: Account }[] = [];
  const lastPayments: string[] = [];
  let keys = 0;
  let turns = 0;

  const newKey = () => `${run}-${++keys}`;
  const everySecond = () => ++turns % 2 === 0;

  function next(finishing: boolean): Operation | undefined {
    const followUp = followUps.shift();
    if (followUp || finishing) return followUp;
    if (workload.reads && recent.length > 0 && random() < READ_SHARE) return read();
    const drawn = random();
    if (drawn < DECLINE_SHARE) return decline();
    const isReplay = drawn < DECLINE_SHARE + REPLAY_SHARE;
    return (isReplay && replayable.shift()) || payment();
  }

  function read(): Operation {
    const { id, payer } = recent[Math.floor(random() * recent.length)] as (typeof recent)[number];
    const path = everySecond() ? `/v1/payments/${id}` : `/v1/accounts/${payer.id}`;
    return { kind: 'read', method: 'GET', path, user: payer.owner };
  }

  function creation(kind: 'pay' | 'authorize' | 'decline', amount: number): Operation {
    const pair = pickPair();
    const { from, to } = pair;
    const capture = kind === 'authorize' ? ',"capture":"manual"' : '';
    const body = `{"from_account":"${from.id}","to_account":"${to.id}","amount":${amount},"currency":"${currency}"${capture}}`;
    return { kind, method: 'POST', path: '/v1/payments', user: from.owner, key: newKey(), body, pair };
  }

  function payment(): Operation {
    const operation = creation(
      workload.lifecycle ? 'authorize' : 'pay',
      1 + Math.floor(random() * MAX_AMOUNT),
    );
    operation.whole = replayable.length < REPLAYABLE && random() < KEEP_SHARE;
    return operation;
  }

  /** Exceeds the limit or the balance. The hot payer has too much money for the latter. */
  function decline(): Operation {
    const byLimit = everySecond() || workload.pairing === 'out-of-one';
    return creation('decline', byLimit ? perPaymentLimit + 1 : perPaymentLimit);
  }

  function answered(operation: Operation, answer: OperationAnswer | undefined): void {
    const { kind, method } = operation;
    if (!answer || answer.status === 202 || answer.status >= 500) {
      if (method === 'POST' && kind !== 'replay') tally.unknown += 1;
      count(`${kind} ${answer?.status ?? 'no answer'}`);
    } else if (kind === 'replay') {
      checkReplay(operation, answer);
    } else if (answer.status !== EXPECTED[kind]) {
      count(`${kind} ${answer.status}`);
    } else {
      tally[COUNTED_AS[kind]] += 1;
      if (kind === 'pay' || kind === 'authorize') accepted(operation, answer);
      if (operation.refundNext) followUps.push(refundOf(operation));
    }
  }

  function accepted(operation: Operation, { body }: OperationAnswer): void {
    const id = /^\{"id":"(pay_[0-9a-f-]{36})"/.exec(body)?.[1];
    if (!id || !operation.pair) throw new Error(`A response to a payment has no id: ${body}`);
    keepLast(lastPayments, id, LAST);
    keepLast(recent, { id, payer: operation.pair.from }, RECENT);
    if (operation.whole) replayable.push({ ...operation, kind: 'replay', first: body });
    if (operation.kind === 'authorize') followUps.push(nextStep(id, operation.pair));
  }

  function nextStep(id: string, pair: Pair): Operation {
    const drawn = random();
    const step = { method: 'POST', user: pair.from.owner, key: newKey(), body: '{}', pair } as const;
    const path = `/v1/payments/${id}`;
    if (drawn < CANCEL_SHARE) return { ...step, kind: 'cancel', path: `${path}/cancel` };
    const refundNext = drawn < CANCEL_SHARE + REFUND_SHARE;
    return { ...step, kind: 'capture', path: `${path}/capture`, refundNext };
  }

  /** The receiver refunds. */
  function refundOf({ path, pair }: Operation): Operation {
    const user = pair?.to.owner ?? 0;
    const refunds = path.replace('/capture', '/refunds');
    return { kind: 'refund', method: 'POST', path: refunds, user, key: newKey(), body: '{}' };
  }

  function checkReplay({ key, first }: Operation, { status, replayed, body }: OperationAnswer): void {
    if (status === 201 && replayed && body === first) {
      tally.replayed += 1;
      return;
    }
    tally.replayViolations += 1;
    if (tally.violations.length >= MAX_VIOLATIONS) return;
    const bodies = body === first ? 'the same body' : 'another body';
    tally.violations.push(`key ${key} again: status ${status}, replayed ${replayed}, ${bodies}`);
  }

  function count(what: string): void {
    tally.unexpected[what] = (tally.unexpected[what] ?? 0) + 1;
  }

  return { next, answered, tally, lastPayments };
}

const EXPECTED = {
  pay: 201,
  authorize: 201,
  decline: 402,
  capture: 200,
  cancel: 200,
  refund: 201,
  read: 200,
} as const;

const COUNTED_AS = {
  pay: 'completed',
  authorize: 'authorized',
  decline: 'declined',
  capture: 'captured',
  cancel: 'cancelled',
  refund: 'refunded',
  read: 'read',
} as const;

function keepLast<T>(list: T[], item: T, length: number): void {
  if (list.length >= length) list.shift();
  list.push(item);
}

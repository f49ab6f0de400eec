/** The load generator. A process of its own, so that its CPU is counted apart. Its parent sends the commands. */
import { setTimeout as pause } from 'node:timers/promises';
import { readBook } from '../platform/account-book.ts';
import { connectRest } from '../platform/rest.ts';
import { logIn, type Session } from '../platform/session.ts';
import type { GeneratorReport, Order, Orders } from './generator-process.ts';
import { createSender } from './http-sender.ts';
import { createLatencies } from './latencies.ts';
import { type Loop, runLoop } from './loops.ts';
import { createTraffic } from './traffic.ts';

/** Argon2 is expensive, and auth limits the number of waiting logins. */
const LOGINS_AT_ONCE = 4;
/** The queue of an open loop must be in the platform, not in the generator. */
const OPEN_CONNECTIONS = 256;
/** A worker of a closed loop waits as long after a refusal as its Retry-After says. An open loop has no workers that could wait. */
const RETRY_AFTER_MS = 1_000;

const send = (message: GeneratorReport | { ready: true } | { failed: string }) => process.send?.(message);
const sessions: Session[] = [];

process.on('message', (order: Order) => {
  carryOut(order).then(send, (error) => send({ failed: String(error?.stack ?? error) }));
});
process.on('disconnect', () => process.exit());

async function carryOut(order: Order): Promise<GeneratorReport | { ready: true }> {
  if (order.kind === 'run') return run(order);
  const { users } = readBook(order.book);
  const rest = connectRest(order.gateway, LOGINS_AT_ONCE);
  const queue = users.entries();
  const next = async () => {
    for (const [index, user] of queue) sessions[index] = await logIn(rest, user);
  };
  await Promise.all(Array.from({ length: LOGINS_AT_ONCE }, next));
  return { ready: true };
}

async function run({
  gateways,
  book: path,
  accounts,
  loop,
  ...order
}: Orders['run']): Promise<GeneratorReport> {
  const book = readBook(path);
  const [hot] = book.hot;
  if (!hot) throw new Error('There is no hot account in the book.');
  const traffic = createTraffic({
    ...order,
    accounts: book.accounts.slice(0, accounts),
    hot,
    random: Math.random,
  });
  const latencies = createLatencies();
  const sender = createSender(gateways, connectionsFor(loop));
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  let lastAnswerAt = startedAt;

  await runLoop(loop, async (dueMs, finishing) => {
    const operation = traffic.next(finishing);
    if (!operation) return false;
    const answer = await sender.send(operation, sessions[operation.user]?.authorization() ?? '');
    lastAnswerAt = performance.now();
    latencies.record(answer?.status === 503 ? 'refused' : operation.kind, dueMs, lastAnswerAt);
    traffic.answered(operation, answer);
    if (answer?.status === 503 && loop.kind === 'closed') await pause(RETRY_AFTER_MS);
    return true;
  });

  const { user, system } = process.cpuUsage(cpu);
  await sender.close();
  return {
    startedAt: performance.timeOrigin + startedAt,
    lastAnswerAt: performance.timeOrigin + lastAnswerAt,
    seconds: (lastAnswerAt - startedAt) / 1000,
    cpuMs: (user + system) / 1000,
    tally: traffic.tally,
    latencies: latencies.figures(),
    lastPayments: traffic.lastPayments,
  };
}

function connectionsFor(loop: Loop): number {
  if (loop.kind === 'closed') return loop.workers;
  return loop.kind === 'open' ? (loop.connections ?? OPEN_CONNECTIONS) : 1;
}

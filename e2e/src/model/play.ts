/**
 * Plays a program on the platform. All clients run at once, each runs its commands in sequence, and every response is compared
 * with the model.
 */
import { randomUUID } from 'node:crypto';
import type { PayFlowX, PayFlowXError } from '@payflowx/client';
import { openAccount, type Payment, type People, type Refund, type Session } from '../platform.ts';
import { newHistory, type Span } from './account-history.ts';
import {
  begun,
  comparable,
  declineOf,
  expectAnswer,
  expectPayment,
  isThisRefusal,
  type Outcome,
  outcomeOf,
  possibleStarts,
} from './answer.ts';
import { apply, heldOf, isRefusal, type Operation, type PaymentModel } from './payment-model.ts';
import { expectSame, noteMove, type Played, type PlayedAccount, type Tracked } from './played.ts';
import { ACCOUNTS, type Command, type Program, type Replay } from './program.ts';

/** Small enough that balances run out sometimes. */
const OPENING = 700;

export async function play(people: People, program: Program): Promise<Played> {
  const played: Played = { accounts: await openAll(people), payments: [], answers: [] };
  await Promise.all(
    program.map(async (commands) => {
      const client = newClient(people, played);
      for (const command of commands) await client.run(command);
    }),
  );
  return played;
}

/** Half of the accounts are Alice's, half Bob's. */
async function openAll({ operator, alice, bob }: People): Promise<PlayedAccount[]> {
  const owners = Array.from({ length: ACCOUNTS }, (_, index) => (index % 2 === 0 ? alice : bob));
  return Promise.all(
    owners.map(async (owner) => {
      const { id } = await openAccount(operator, owner.user, OPENING);
      return { id, owner, opening: OPENING, history: newHistory(OPENING) };
    }),
  );
}

type Create = (key: string) => Promise<{ data: Payment }>;

function newClient({ operator }: People, played: Played) {
  const mine: Tracked[] = [];
  const accountAt = (index: number) => played.accounts[index] as PlayedAccount;
  const accountOf = (id: string) => played.accounts.find((each) => each.id === id);

  async function run(command: Command): Promise<void> {
    switch (command.do) {
      case 'pay':
        return pay(command);
      case 'deposit':
      case 'withdraw':
        return transfer(command);
      case 'capture':
      case 'cancel':
      case 'refund':
        return operate(command);
      case 'freeze':
      case 'unfreeze':
        return setActive(command);
      case 'limit':
        return setLimit(command);
    }
  }

  async function pay(command: Command & { do: 'pay' }): Promise<void> {
    const [from, to] = [accountAt(command.from), accountAt(command.to)];
    if (from === to) return;
    const { amount, capture, hold, replay } = command;
    const body = {
      ...{ from_account: from.id, to_account: to.id, amount, currency: 'EUR', capture },
      ...(hold !== undefined && { hold_seconds: hold }),
    };
    const { api } = from.owner;
    await create('payment', api, replay, (key) => api.post('/v1/payments', { body, key }));
  }

  async function transfer(command: Command & { do: 'deposit' | 'withdraw' }): Promise<void> {
    const { api } = operator;
    const { account, amount, replay } = command;
    const body = { account_id: accountAt(account).id, amount, currency: 'EUR' };
    if (command.do === 'deposit')
      await create('deposit', api, replay, (key) => api.post('/v1/deposits', { body, key }));
    else await create('withdrawal', api, replay, (key) => api.post('/v1/withdrawals', { body, key }));
  }

  async function create(
    kind: PaymentModel['kind'],
    api: PayFlowX,
    replay: Replay,
    send: Create,
  ): Promise<void> {
    const key = randomUUID();
    const outcome = await outcomeOf(() => send(key));
    const payment = outcome.data ?? outcome.error?.problem.payment;
    if (!payment) throw outcome.error;
    const tracked = { id: payment.id, model: begun(kind, payment) };
    expectPayment(tracked.model, payment, `${kind} ${payment.id}`);
    mine.push(tracked);
    played.payments.push(tracked);
    const { from, to, amount } = tracked.model;
    const limited = kind !== 'deposit';
    judge(tracked, outcome, {
      giver: from,
      taker: to,
      needs: amount,
      limited,
      decline: payment.failure?.code,
    });
    noteMove(played, outcome, undefined, tracked.model);
    const other = () => ask(api, tracked.id, { name: 'capture', amount: 987_654 }, key);
    await again(replay, key, outcome, () => send(key), other);
  }

  async function operate(command: Command & { do: 'capture' | 'cancel' | 'refund' }): Promise<void> {
    const tracked = mine.at(-1 - (command.which % Math.max(mine.length, 1)));
    if (!tracked) return;
    const operation = operationOf(command, tracked.model);
    const { api } = askerOf(tracked.model, operation);
    const key = randomUUID();
    const send = () => ask(api, tracked.id, operation, key);
    const outcome = await outcomeOf(send);
    settle(tracked, operation, outcome);
    const name = operation.name === 'refund' ? 'refund' : 'capture';
    await again(command.replay, key, outcome, send, () =>
      ask(api, tracked.id, { name, amount: 987_654 }, key),
    );
  }

  /** Only an operator may refund a declined payment; its receiver does not know it. */
  function askerOf({ kind, state, from, to }: PaymentModel, { name }: Operation): Session {
    if (kind !== 'payment' || state === 'FAILED') return operator;
    return accountOf(name === 'refund' ? to : from)?.owner ?? operator;
  }

  /** Finds the outcome of the payment. Fails if the response fits none. */
  function settle(tracked: Tracked, operation: Operation, outcome: Outcome<Payment | Refund>): void {
    const before = tracked.model;
    const decline = declineOf(operation, outcome);
    for (const start of possibleStarts(before, operation, outcome)) {
      const next = apply(start, operation);
      if (isRefusal(next) ? !isThisRefusal(outcome, start, next) : outcome.error && !decline) continue;
      if (start !== before) noteMove(played, { from: before.expiresAt ?? 0, to: outcome.to }, before, start);
      tracked.model = start;
      if (isRefusal(next)) return;
      judgeOperation(tracked, operation, outcome, next, decline);
      if (decline) return;
      noteMove(played, outcome, start, next);
      tracked.model = next;
      if (outcome.data) expectAnswer(next, outcome.data, `${operation.name} of ${tracked.id}`);
      return;
    }
    const answer = outcome.error ? { ...outcome.error.problem } : outcome.data;
    const asked = `${JSON.stringify(operation)} of ${JSON.stringify(tracked)} at ${outcome.from} to ${outcome.to}`;
    throw new Error(`${asked} got the response ${JSON.stringify(answer)}`);
  }

  /** The receiver pays a refund. A capture needs no balance, only a receiver that is active. */
  function judgeOperation(
    tracked: Tracked,
    { name }: Operation,
    span: Span,
    next: PaymentModel,
    decline: string | undefined,
  ): void {
    const { from, to, refunded } = tracked.model;
    if (name === 'capture')
      judge(tracked, span, { giver: from, taker: to, needs: undefined, limited: false, decline });
    if (name === 'refund')
      judge(tracked, span, {
        giver: to,
        taker: from,
        needs: next.refunded - refunded,
        limited: false,
        decline,
      });
  }

  interface Judgement {
    giver: string;
    taker: string;
    needs: number | undefined;
    limited: boolean;
    decline: string | undefined;
  }

  /** Balance, state and limits of the accounts must allow the response. This is judged at the end. */
  function judge({ id, model }: Tracked, { from, to }: Span, judgement: Judgement): void {
    const { needs, limited, decline } = judgement;
    const [giver, taker] = [accountOf(judgement.giver)?.history, accountOf(judgement.taker)?.history];
    const what = `${id} (${model.kind}, ${model.state}) needs ${needs}`;
    played.answers.push({ asked: { from, to, giver, taker, needs, limited }, decline, what });
  }

  async function setActive({ do: name, account }: Command & { do: 'freeze' | 'unfreeze' }): Promise<void> {
    const { id, history } = accountAt(account);
    const write = { from: Date.now(), to: Number.POSITIVE_INFINITY, value: name === 'unfreeze' };
    history.active.push(write);
    const params = { path: { id } };
    await untilDone(() => operator.api.post(`/v1/accounts/{id}/${name}`, { params, body: {} }));
    write.to = Date.now();
  }

  /** Other clients change the same account. If the version has changed, the change is repeated. */
  async function setLimit({ account, limit }: Command & { do: 'limit' }): Promise<void> {
    const { id, history } = accountAt(account);
    const write = { from: Date.now(), to: Number.POSITIVE_INFINITY, value: limit };
    history.limit.push(write);
    await untilDone(async () => {
      const { data } = await operator.api.get('/v1/accounts/{id}', { params: { path: { id } } });
      const params = { path: { id }, header: { 'if-match': `"${data.version}"` } };
      await operator.api.patch('/v1/accounts/{id}', { params, body: { limits: { per_payment: limit } } });
    });
    write.to = Date.now();
  }

  return { run };
}

/** A replay with the same key gets the same response; another request with that key is refused. */
async function again(
  replay: Replay,
  key: string,
  first: Outcome,
  same: () => Promise<{ data: unknown }>,
  other: () => Promise<{ data: unknown }>,
): Promise<void> {
  if (replay === 'same')
    expectSame(comparable(await outcomeOf(same)), comparable(first), `the same again under ${key}`);
  if (replay === 'other')
    expectSame(
      (await outcomeOf(other)).error?.code,
      'IDEMPOTENCY_KEY_REUSED',
      `another request under ${key}`,
    );
}

function operationOf(command: Command & { do: Operation['name'] }, model: PaymentModel): Operation {
  if (command.do === 'cancel') return { name: 'cancel' };
  const left = command.do === 'capture' ? heldOf(model) : model.captured - model.refunded;
  const amount = command.share === 0 ? {} : { amount: Math.max(1, Math.ceil((left * command.share) / 100)) };
  if (command.do === 'refund') return { name: 'refund', ...amount };
  return { name: 'capture', ...amount, ...(command.final !== undefined && { final: command.final }) };
}

function ask(
  api: PayFlowX,
  id: string,
  operation: Operation,
  key: string,
): Promise<{ data: Payment | Refund }> {
  const params = { path: { id } };
  const { name, ...body } = operation;
  switch (name) {
    case 'capture':
      return api.post('/v1/payments/{id}/capture', { params, body, key });
    case 'cancel':
      return api.post('/v1/payments/{id}/cancel', { params, body: {}, key });
    case 'refund':
      return api.post('/v1/payments/{id}/refunds', { params, body, key });
  }
}

/** A change without a key is repeated by its caller: here until it is done. */
async function untilDone(change: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const error = await change().then(
      () => undefined,
      (error: PayFlowXError) => error,
    );
    if (!error) return;
    const passing = error.status === 0 || error.status === 412 || error.status >= 500;
    if (!passing || attempt > 200) throw error;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** After the play, compares every service of the platform with the model. */
import {
  accountOf,
  eventually,
  type People,
  paymentOf,
  provenLedger,
  reconciled,
  type Session,
} from '../platform.ts';
import { isPlausible } from './account-history.ts';
import { expectPayment } from './answer.ts';
import { type Balance, contributionOf, expire, heldOf } from './payment-model.ts';
import { expectSame, noteMove, type Played, type PlayedAccount, type Tracked } from './played.ts';

export async function audit({ operator, auditor }: People, played: Played): Promise<void> {
  await Promise.all(played.payments.map((tracked) => settleExpiry(operator, played, tracked)));
  expectPlausible(played);
  await Promise.all(played.payments.map(({ id, model }) => expectSettled(auditor, id, model)));
  await Promise.all(
    played.accounts.map((account) => expectBalance(auditor, account, balanceIn(played, account))),
  );
  await provenLedger(auditor);
  await Promise.all(
    played.accounts.map((account) => expectLedger(auditor, account, balanceIn(played, account))),
  );
  await Promise.all(played.payments.map((tracked) => expectNotified(auditor, tracked)));
  await reconciled(operator);
}

/** Holds this short expire before the audit; the others stay open. */
const SHORT_MS = 60_000;

async function settleExpiry(reader: Session, played: Played, tracked: Tracked): Promise<void> {
  const before = tracked.model;
  const { expiresAt } = before;
  if (heldOf(before) === 0 || expiresAt === undefined || expiresAt > Date.now() + SHORT_MS) return;
  const after = expire(before);
  await eventually(async () =>
    expectPayment(after, await paymentOf(reader, tracked.id), `expiry of ${tracked.id}`),
  );
  noteMove(played, { from: expiresAt, to: Date.now() }, before, after);
  tracked.model = after;
}

function expectPlausible({ answers }: Played): void {
  for (const { asked, decline, what } of answers) {
    if (isPlausible(asked, decline)) continue;
    throw new Error(
      `No order of what went on allows this answer: ${what}, ${decline ?? 'approved'} ${JSON.stringify(asked)}`,
    );
  }
}

async function expectSettled(reader: Session, id: string, model: Tracked['model']): Promise<void> {
  expectPayment(model, await paymentOf(reader, id), id);
}

/** The sum of all its payments. */
function balanceIn({ payments }: Played, { id, opening }: PlayedAccount): Balance {
  const sum = { posted: opening, held: 0, pending: 0 };
  for (const { model } of payments) {
    const { posted, held, pending } = contributionOf(model, id);
    sum.posted += posted;
    sum.held += held;
    sum.pending += pending;
  }
  return sum;
}

async function expectBalance(
  reader: Session,
  { id }: PlayedAccount,
  { posted, held }: Balance,
): Promise<void> {
  const { balance } = await accountOf(reader, id);
  expectSame(balance, { posted, held, available: posted - held }, `the balance of ${id}`);
}

/** The ledger is a moment behind. */
function expectLedger({ api }: Session, { id }: PlayedAccount, { posted, pending }: Balance): Promise<void> {
  return eventually(async () => {
    const { data } = await api.get('/v1/ledger/accounts/{id}/balance', { params: { path: { id } } });
    expectSame(
      { posted: data.posted, pending: data.pending },
      { posted, pending },
      `the ledger's balance of ${id}`,
    );
  });
}

/** Waits until there are enough notifications. A higher count would mean duplicates. */
async function expectNotified({ api }: Session, { id, model }: Tracked): Promise<void> {
  const query = { payment_id: id, limit: 100 };
  await eventually(async () => {
    const { data } = await api.get('/v1/notifications', { params: { query } });
    expectSame(data.data.length, model.notified, `notifications of ${id}, ${model.state}`);
  });
}

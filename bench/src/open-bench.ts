/** Opens everything that a run needs, in order, and closes it in reverse. */
import { findPgbench, HOW_TO_GET_PGBENCH, type Limit, openLimit } from './limit/pgbench.ts';
import { startGenerator } from './load/generator-process.ts';
import { readBooks } from './measure/books.ts';
import { connectPostgres } from './measure/postgres.ts';
import type { PartDeps } from './parts.ts';
import { bookPath } from './platform/account-book.ts';
import { type Checkout, openCheckout } from './platform/checkout.ts';
import { createPlatform } from './platform/configurations.ts';
import { prepareAccounts } from './platform/prepare-accounts.ts';
import { connectRest } from './platform/rest.ts';
import { connectBulkCalls } from './platform/rpc.ts';
import { logIn } from './platform/session.ts';
import { say } from './progress.ts';
import type { Settings } from './settings.ts';

export interface Bench extends PartDeps {
  close(): Promise<void>;
}

const CONNECTIONS = 16;

export async function openBench(settings: Settings): Promise<Bench> {
  const closers = new AsyncDisposableStack();
  const checkout = openCheckout(settings.checkout);
  const rest = connectRest(checkout.gateway, CONNECTIONS);
  closers.defer(() => rest.close());
  const operator = await logIn(rest, checkout.operator);
  closers.defer(() => operator.close());
  const calls = connectBulkCalls(settings, operator);
  closers.defer(() => calls.close());

  const book = await prepareAccounts({ checkout, rest, calls, operator }, settings);
  say(`${book.accounts.length} accounts of ${book.users.length} users are funded`);
  const generator = await startGenerator({ gateway: checkout.gateway, book: bookPath(checkout) });
  closers.defer(() => generator.stop());

  const postgres = await connectPostgres(checkout.postgresUrl);
  closers.defer(() => postgres.close());
  const limit = await findLimit(settings, checkout);
  if (limit) closers.defer(() => limit.close());

  const platform = createPlatform(checkout);
  closers.defer(() => platform.restore());
  const books = await readBooks({ rest, operator });
  const deps = { settings, checkout, book, rest, operator, generator, postgres, limit, platform, books };
  return { ...deps, close: () => closers.disposeAsync() };
}

/** Ratios to the physical limit are left out if it cannot be measured. */
async function findLimit(settings: Settings, { postgresUrl }: Checkout): Promise<Limit | undefined> {
  const pgbench = findPgbench(process.env);
  if (pgbench) return openLimit(pgbench, postgresUrl, settings.accounts);
  say(`${HOW_TO_GET_PGBENCH}; going on without the physical limit`, '!');
  return undefined;
}

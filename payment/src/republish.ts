/** Publishes past events again: `node src/republish.ts`. USAGE lists its options. Without --run it only counts. */
import { parseArgs } from 'node:util';
import { createLogger } from '@payflowx/chassis';
import { openDatabase, requireMigrated } from '@payflowx/chassis/postgres';
import { type RepublishSettings, republishEvents, type Selection } from './app/republish-events.ts';
import { loadRepublishConfig } from './config.ts';
import { DESTINATIONS } from './messages/payment-event.ts';
import type { Database } from './store/database.ts';

const USAGE = `Usage: node src/republish.ts (--all | --from TIME [--to TIME] | --payment ID …) [options]
  --all, --from, --to     events of this time range, by the time at which they happened (RFC 3339)
  --payment ID            all events of this payment; may be repeated
  --destination NAME      only for payment-events or payment-notifications
  --rate N                events a second, 1000 by default
  --after ID              continue after this payment, the last one of an interrupted run
  --run                   publish; without it, the command only counts`;

function readArguments(args: string[]): RepublishSettings {
  const { values } = parseArgs({
    args,
    options: {
      all: { type: 'boolean', default: false },
      from: { type: 'string' },
      to: { type: 'string' },
      payment: { type: 'string', multiple: true },
      destination: { type: 'string', multiple: true },
      rate: { type: 'string', default: '1000' },
      after: { type: 'string', default: '' },
      run: { type: 'boolean', default: false },
    },
  });
  const { all, from, to, payment, destination = [...DESTINATIONS], rate, after, run } = values;
  if ([all, from ?? to, payment].filter(Boolean).length !== 1)
    throw new Error('Give one of --all, --from or --to, and --payment.');
  const unknown = destination.filter((name) => !DESTINATIONS.some((known) => known === name));
  if (unknown.length > 0) throw new Error(`There is no destination ${unknown.join(', ')}.`);
  const eventsPerSecond = Number(rate);
  if (!(eventsPerSecond > 0)) throw new Error('--rate must be a number above 0.');
  const selection: Selection = payment
    ? { paymentIds: payment }
    : { from: toTime(from), to: toTime(to), afterId: after };
  return { selection, destinations: destination, eventsPerSecond, isReal: run };
}

function toTime(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new Error(`"${text}" is not a time.`);
  return time;
}

function readSettings(): RepublishSettings | undefined {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exitCode = 2;
    return undefined;
  }
}

const settings = readSettings();
if (settings) {
  const config = loadRepublishConfig(process.env);
  const log = createLogger('payment', { logLevel: config.logLevel, instanceId: 'republish' }, 'stderr');
  const db = openDatabase<Database>(config.postgres, log);
  try {
    await requireMigrated(db, config.migrations);
    const { payments, events, unreadable } = await republishEvents(
      { db, log, now: () => new Date() },
      settings,
    );
    const verb = settings.isReal ? 'published again' : 'would be published again; --run publishes them';
    console.log(`${events} events of ${payments} payments ${verb}`);
    if (unreadable > 0)
      console.log(`${unreadable} payments whose events cannot be computed again: see the log`);
    if (unreadable > 0) process.exitCode = 1;
  } finally {
    await db.destroy();
  }
}

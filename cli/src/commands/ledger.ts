/** The journal: its proof, its heads, and receipts that anyone can verify without the platform. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Schema, type TrustedHead, verifyReceipt } from '@payflowx/client';
import type { Command } from 'commander';
import { act, globalOptions } from '../environment.ts';
import { BadResult, Unsettled, UsageError } from '../exit.ts';
import { createOutput, withProgress } from '../output.ts';

export function ledgerCommands(program: Command): void {
  const ledger = program.command('ledger').description('the journal, its proof, heads and receipts');

  ledger
    .command('proof')
    .description('prove the whole journal: sums, hashes, and the balances of the authorization service')
    .action(
      act(async ({ api, output, money }) => {
        const { data: proof } = await withProgress('Proving the journal', api.get('/v1/ledger/proof'));
        const { show } = await money();
        output.object(proof, [
          ['verdict', ({ verdict }) => verdict],
          ['holds', ({ holds }) => holds],
          ['transactions', ({ transaction_count }) => transaction_count],
          ['entries', ({ entry_count }) => entry_count],
          ['accounts', ({ account_count }) => account_count],
          ['open holds', ({ open_hold_count }) => open_hold_count],
          ['differences', ({ difference_count }) => difference_count],
          ['events to come', ({ event_lag }) => event_lag],
          ['unsealed', ({ unsealed_count }) => unsealed_count],
          [
            'settled differences',
            ({ differences }) =>
              differences
                .filter(({ settled }) => settled)
                .map(({ account_id }) => account_id)
                .join(', '),
          ],
          ['first broken', ({ first_broken }) => first_broken && JSON.stringify(first_broken)],
          ['head', ({ head }) => head && `${head.size} transactions, ${head.head_hash}`],
          ['proved', ({ proved_at }) => proved_at],
          ...proof.trial_balances.map(
            ({ currency, posted_sum, account_count }) =>
              [`sum ${currency}`, () => `${show(posted_sum, currency)} over ${account_count} accounts`] as [
                string,
                () => string,
              ],
          ),
        ]);
        if (proof.verdict === 'unsettled')
          throw new Unsettled(
            'Accounts differ, and events about them may be on their way. Prove again later.',
          );
        if (proof.verdict === 'broken')
          throw new BadResult('The proof is broken: docs/internals/ledger-proof.md explains it.');
      }),
    );

  ledger
    .command('head')
    .description('show the newest head of the sealed journal; keep it in a safe place')
    .option('--save <file>', 'write it to a new file, as `ledger verify` takes it')
    .action(
      act<{ save?: string }>(async ({ api, output }, _, { save }) => {
        const { data: head } = await api.get('/v1/ledger/head');
        if (save !== undefined) writeNew(save, head);
        showHead(output, head);
      }),
    );

  ledger
    .command('receipt <payment>')
    .description('get the receipt of a payment')
    .option('--save <file>', 'write it to a new file, as `ledger verify` takes it')
    .option('--head <file>', 'for the head in this file, not the newest')
    .action(
      act<{ save?: string; head?: string }>(async ({ api, output }, [id = ''], { save, head }) => {
        const query = head === undefined ? {} : { head_size: sizeOf(head) };
        const params = { path: { id }, query };
        const { data: receipt } = await api.get('/v1/ledger/payments/{id}/receipt', { params });
        if (save !== undefined) writeNew(save, receipt);
        output.object(receipt, [
          ['payment', ({ payment_id }) => payment_id],
          [
            'transactions',
            ({ transactions }) => transactions.map(({ transaction }) => transaction.event_type).join(', '),
          ],
          ['head', (row) => `${row.head.size} transactions, ${row.head.head_hash}`],
        ]);
      }),
    );

  ledger
    .command('verify <receipt>')
    .description('verify a receipt against a head that you kept; needs no platform')
    .requiredOption('--head <head>', 'the file of the head, or its head_hash in hex')
    .action((receipt: string, { head }: { head: string }, command: Command) => {
      const trusted = /^[0-9a-f]{64}$/.test(head) ? head : (readJson(head) as TrustedHead);
      const verified = verifyReceipt(readJson(receipt) as Schema<'Receipt'>, trusted);
      const output = createOutput(globalOptions(command).output);
      const postings = verified.transactions.flatMap(({ postings, ...transaction }) =>
        postings.map((posting) => ({ ...plain(transaction), ...plain(posting) })),
      );
      output.rows(postings, [
        ['event', (row) => String(row.eventType)],
        ['kind', (row) => String(row.kind)],
        ['minor units', (row) => String(row.amount), 'right'],
        ['currency', (row) => String(row.currency ?? '')],
        ['from', (row) => String(row.debitAccount)],
        ['to', (row) => String(row.creditAccount ?? row.toAccount ?? row.to ?? '')],
      ]);
      output.say('VERIFIED: the journal under this head holds these movements.');
    });
}

/** Values that JSON can hold. Amounts that were read from sealed bytes are bigint. */
function plain(object: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
  );
}

function showHead(output: ReturnType<typeof createOutput>, head: Schema<'SealedHead'>): void {
  output.object(head, [
    ['size', ({ size }) => size],
    ['head hash', ({ head_hash }) => head_hash],
    ['root hash', ({ root_hash }) => root_hash],
    ['sealed', ({ sealed_at }) => sealed_at],
  ]);
}

function sizeOf(file: string): number {
  const { size } = readJson(file) as Partial<Schema<'SealedHead'>>;
  if (typeof size === 'number') return size;
  throw new UsageError(`${file} is no head.`);
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** A kept head or receipt is never overwritten. */
function writeNew(file: string, value: object): void {
  try {
    writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`, { flag: 'wx' });
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${(error as Error).message}`);
  }
}

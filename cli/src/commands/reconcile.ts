/** Compares the figures of every account between the services. */
import type { Command } from 'commander';
import { act, type ListOptions, pageSize, take, toCount } from '../environment.ts';
import { BadResult } from '../exit.ts';
import { withProgress } from '../output.ts';

export function reconcileCommand(program: Command): void {
  program
    .command('reconcile')
    .description('compare the figures of every account between the services now')
    .option('--list', 'list earlier reconciliations instead')
    .option('-n, --limit <count>', 'at most this many', toCount, 20)
    .action(
      act<ListOptions & { list?: true }>(async ({ api, output }, _, options) => {
        if (options.list) {
          const query = pageSize(options);
          const earlier = await take(api.list('/v1/ledger/reconciliations', { params: { query } }), options);
          return output.rows(earlier, [
            ['id', ({ id }) => id],
            ['holds', ({ holds }) => holds],
            ['accounts', ({ account_count }) => account_count, 'right'],
            ['differences', ({ difference_count }) => difference_count, 'right'],
            ['unsettled', ({ unsettled_count }) => unsettled_count, 'right'],
            ['finished', ({ finished_at }) => finished_at],
          ]);
        }
        const work = api.post('/v1/ledger/reconciliations', { body: {} });
        const { data: report } = await withProgress('Comparing every account', work);
        output.object(report, [
          ['id', ({ id }) => id],
          ['holds', ({ holds }) => holds],
          ['accounts', ({ account_count }) => account_count],
          ['differences', ({ difference_count }) => difference_count],
          ['unsettled', ({ unsettled_count }) => unsettled_count],
          ...report.differences.map(
            ({ account_id, figure, expected_by, expected, found_by, found }) =>
              [account_id, () => `${figure}: ${expected} by ${expected_by}, ${found} by ${found_by}`] as [
                string,
                () => string,
              ],
          ),
        ]);
        if (!report.holds)
          throw new BadResult('The services differ: docs/operators/reconciliation.md explains it.');
      }),
    );
}

/**
 * Checks migrations with squawk (https://squawkhq.com): no statement may block the services for long, or break the release that still
 * runs. Prints findings, and fails if there are any. docs/operators/upgrades.md has the rules.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.ts';
import { capture } from '../run.ts';

/** Files from before this check. They are frozen, and ran when their tables were small. No new file may be added here. */
const EXEMPT = [
  'auth/migrations/0006_user_api_clients.sql',
  'auth/migrations/0007_signing_key_rotation.sql',
  'authorization/migrations/0003_hold_lifecycle.sql',
  'authorization/migrations/0005_rules.sql',
  'ledger/migrations/0003_entries_by_time.sql',
  'notification/migrations/0002_notifications_by_account.sql',
  'payment/migrations/0004_operations.sql',
  'payment/migrations/0006_answers_from_payments.sql',
  'payment/migrations/0007_outbox_parcels.sql',
  'payment/migrations/0008_waiting_work.sql',
];

/** `require-…-timeout`: chassis/src/postgres/migrations.ts sets them. The others are about style. */
const EXCLUDED = [
  'require-lock-timeout',
  'require-statement-timeout',
  'prefer-bigint-over-int',
  'prefer-bigint-over-smallint',
  // A failed CREATE INDEX CONCURRENTLY leaves an index that exists and is not used. IF NOT EXISTS would keep it.
  'prefer-robust-stmts',
];

const MARKER = '-- migrate: no transaction';

/** Findings that squawk cannot have: the rules of files without a transaction. */
export function markerProblems(file: string, text: string): string[] {
  const isMarked = text.startsWith(`${MARKER}\n`);
  if (!isMarked && /^\s*--\s*migrate:/m.test(text)) return [`${file}: the first line must be: ${MARKER}`];
  if (!isMarked) {
    return /\bCONCURRENTLY\b/i.test(withoutComments(text))
      ? [`${file}: CONCURRENTLY needs a file without a transaction. Its first line is: ${MARKER}`]
      : [];
  }
  const created = [...text.matchAll(/^CREATE (?:UNIQUE )?INDEX CONCURRENTLY (\w+)/gim)];
  return created.flatMap(({ index, 1: name = '' }) =>
    text.slice(0, index).includes(`DROP INDEX CONCURRENTLY IF EXISTS ${name};`)
      ? []
      : [
          `${file}: a failed attempt leaves an invalid index. Begin with: DROP INDEX CONCURRENTLY IF EXISTS ${name};`,
        ],
  );
}

function withoutComments(text: string): string {
  return text.replaceAll(/--.*$/gm, '');
}

async function lint(files: readonly string[], options: readonly string[]): Promise<string[]> {
  if (files.length === 0) return [];
  const excluded = EXCLUDED.flatMap((rule) => ['--exclude', rule]);
  const command = ['squawk', '--pg-version', '18.0', ...excluded, ...options, ...files];
  const { code, output } = await capture(command, { cwd: root });
  return code === 0 ? [] : [output.trim()];
}

async function findings(): Promise<string[]> {
  const files = globSync('*/migrations/*.sql', { cwd: root }).sort();
  const checked = files
    .filter((file) => !EXEMPT.includes(file))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
  const marked = checked.filter(({ text }) => text.startsWith(MARKER)).map(({ file }) => file);
  const others = checked.map(({ file }) => file).filter((file) => !marked.includes(file));
  return [
    ...checked.flatMap(({ file, text }) => markerProblems(file, text)),
    ...(await lint(others, ['--assume-in-transaction'])),
    ...(await lint(marked, ['--no-assume-in-transaction'])),
  ];
}

if (import.meta.main) {
  const found = await findings();
  for (const finding of found) console.log(finding);
  if (found.length > 0) process.exitCode = 1;
}

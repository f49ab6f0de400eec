/** Compares limits and deadlines that pages state in prose with the constants that they are in the code. Prints what differs, and fails if something does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.ts';

const S = 1_000;
const MINUTE = 60 * S;
const DAY_S = 24 * 60 * 60;
const KIB = 1_024;

/** Page, what it says with the number in parentheses, where the constant is, its name, and how many of its unit make one of the page's. */
const STATED: [page: string, says: RegExp, file: string, constant: string, unit?: number][] = [
  ['gateway/README.md', /after (\d+) s \(reads\)/, 'gateway/src/access/access.ts', 'READ_DEADLINE_MS', S],
  ['gateway/README.md', /(\d+) s \(writes\)/, 'gateway/src/access/access.ts', 'WRITE_DEADLINE_MS', S],
  [
    'gateway/README.md',
    /(\d+) s \(backtests\)/,
    'gateway/src/routes/backtests.ts',
    'BACKTEST_DEADLINE_MS',
    S,
  ],
  [
    'gateway/README.md',
    /(\d+) s \(reconciliations\)/,
    'gateway/src/routes/reconciliations.ts',
    'RUN_DEADLINE_MS',
    S,
  ],
  ['gateway/README.md', /(\d+) s \(proof\)/, 'gateway/src/routes/ledger-proof.ts', 'PROOF_DEADLINE_MS', S],
  ['gateway/README.md', /beyond (\d+) levels/, 'gateway/src/http/json-body.ts', 'MAX_DEPTH'],
  ['gateway/README.md', /maxAgeS: (\d+)/, 'gateway/src/http/caching.ts', 'DOCUMENT_MAX_AGE_S'],
  [
    'auth/README.md',
    /`exp` \((\d+) minutes\)/,
    'auth/src/domain/access-token.ts',
    'ACCESS_TOKEN_LIFETIME_S',
    60,
  ],
  [
    'auth/README.md',
    /renew theirs after (\d+) minutes/,
    'chassis/src/rpc/identity.ts',
    'KEYS_MAX_AGE_MS',
    MINUTE,
  ],
  [
    'docs/operators/README.md',
    /tokens are valid \((\d+) minutes\)/,
    'auth/src/domain/access-token.ts',
    'ACCESS_TOKEN_LIFETIME_S',
    60,
  ],
  [
    'authorization/README.md',
    /decides 1 to (\d+) payments/,
    'authorization/src/rpc/authorization-service.ts',
    'MAX_ITEMS',
  ],
  [
    'authorization/README.md',
    /at most ([\d,]+) characters/,
    'authorization/src/cel/expression.ts',
    'MAX_LENGTH',
  ],
  [
    'authorization/README.md',
    /at most ([\d,]+) parts together/,
    'authorization/src/app/save-rule.ts',
    'MAX_STEPS',
  ],
  [
    'authorization/README.md',
    /there are at most (\d+)\./,
    'authorization/src/app/save-rule.ts',
    'MAX_ENABLED',
  ],
  [
    'authorization/README.md',
    /characters, (\d+) parts/,
    'authorization/src/cel/vocabulary.ts',
    'maxAstNodes',
  ],
  ['authorization/README.md', /parts and (\d+) levels/, 'authorization/src/cel/vocabulary.ts', 'maxDepth'],
  ['authorization/README.md', /pages of (\d+) by index/, 'authorization/src/app/backtest-rule.ts', 'PAGE'],
  [
    'docs/operators/rules.md',
    /has at most ([\d,]+) characters/,
    'authorization/src/cel/expression.ts',
    'MAX_LENGTH',
  ],
  [
    'docs/operators/rules.md',
    /characters, (\d+) parts/,
    'authorization/src/cel/vocabulary.ts',
    'maxAstNodes',
  ],
  ['docs/operators/rules.md', /parts and (\d+) levels/, 'authorization/src/cel/vocabulary.ts', 'maxDepth'],
  ['docs/operators/rules.md', /At most (\d+) rules/, 'authorization/src/app/save-rule.ts', 'MAX_ENABLED'],
  ['docs/operators/rules.md', /rules and ([\d,]+) parts/, 'authorization/src/app/save-rule.ts', 'MAX_STEPS'],
  [
    'docs/operators/rules.md',
    /last day\), at most ([\d,]+)\./,
    'authorization/src/app/backtest-rule.ts',
    'MAX_TRIED',
  ],
  ['payment/README.md', /for 1 to (\d+) items/, 'payment/src/rpc/payment-service.ts', 'MAX_BATCH'],
  ['payment/README.md', /back-off up to (\d+) s/, 'payment/src/store/claim-due.ts', 'MAX_BACK_OFF_MS', S],
  [
    'docs/integrators/README.md',
    /`hold_seconds`, or (\d+) days/,
    'payment/src/config.ts',
    'HOLD_DURATION_S',
    DAY_S,
  ],
  [
    'docs/internals/life-of-a-payment.md',
    /platform's (\d+) days/,
    'payment/src/config.ts',
    'HOLD_DURATION_S',
    DAY_S,
  ],
  ['ledger/README.md', /At most (\d+) differences/, 'ledger/src/domain/proof.ts', 'MAX_LISTED'],
  ['analytics/README.md', /at most (\d+) days/, 'analytics/src/app/list-daily-totals.ts', 'MAX_DAYS'],
  ['registry/README.md', /again after ([\d.]+) s/, 'registry/src/backoff.ts', 'firstMs', S],
  ['registry/README.md', /intervals of at most (\d+) s/, 'registry/src/backoff.ts', 'maxMs', S],
  [
    'registry/README.md',
    /address fail after ([\d.]+) s/,
    'registry/src/instance-watch.ts',
    'FIRST_ANSWER_WITHIN_MS',
    S,
  ],
  [
    'registry/README.md',
    /leaving gives up after (\d+) s/,
    'registry/src/membership.ts',
    'LEAVE_WITHIN_MS',
    S,
  ],
  [
    'docs/internals/messages.md',
    /more than (\d+) KiB/,
    'chassis/src/messaging/rabbit/publisher.ts',
    'MAX_PARCEL_BYTES',
    KIB,
  ],
  [
    'docs/internals/messages.md',
    /at most (\d+) KiB at once/,
    'chassis/src/messaging/kafka/producer.ts',
    'MAX_PIECE_BYTES',
    KIB,
  ],
  [
    'docs/internals/messages.md',
    /(\d+) pairs of metadata/,
    'payment/src/domain/order.ts',
    'MAX_METADATA_PAIRS',
  ],
  ['docs/internals/messages.md', /metadata of (\d+) and/, 'payment/src/domain/order.ts', 'MAX_METADATA_KEY'],
  ['docs/internals/messages.md', /and (\d+) characters/, 'payment/src/domain/order.ts', 'MAX_METADATA_VALUE'],
  ['docs/internals/messages.md', /a description of (\d+)/, 'payment/src/domain/order.ts', 'MAX_DESCRIPTION'],
  ['docs/internals/messages.md', /a reference of (\d+)/, 'payment/src/domain/order.ts', 'MAX_REFERENCE'],
  [
    'docs/internals/batching.md',
    /messages, at most (\d+)/,
    'chassis/src/messaging/rabbit/consumer.ts',
    'MAX_BATCH',
  ],
  [
    'docs/internals/batching.md',
    /calls at most every (\d+) ms/,
    'gateway/src/config.ts',
    'PAYMENT_BATCH_PACE_MS',
  ],
  [
    'docs/internals/batching.md',
    /a round at most every (\d+) ms/,
    'chassis/src/postgres/outbox-relay.ts',
    'PACE_MS',
  ],
  [
    'docs/internals/batching.md',
    /a consumer every (\d+) ms/,
    'chassis/src/messaging/kafka/consumer.ts',
    'PACE_MS',
  ],
  ['docs/internals/batching.md', /waits only (\d+) ms/, 'chassis/src/postgres/outbox-relay.ts', 'GATHER_MS'],
  ['infra/README.md', /rotated at (\d+) MB/, 'infra/src/supervisor-config.ts', 'stdout_logfile_maxbytes'],
  ['infra/README.md', /limit is (\d+) connections/, 'infra/src/servers/postgres.ts', 'max_connections'],
];

const findings = STATED.flatMap(([page, says, file, constant, unit = 1]) => {
  const [, stated] = says.exec(textOf(page)) ?? [];
  if (stated === undefined)
    return `${page} no longer says ${says.source}: mend the list in documented-limits.ts`;
  const value = valueIn(textOf(file), constant);
  if (value === undefined)
    return `${file} has no ${constant} any more: mend the list in documented-limits.ts`;
  const wanted = value / unit;
  return number(stated) === wanted ? [] : `${page} says ${stated} where ${constant} in ${file} is ${wanted}`;
});
for (const finding of findings) console.log(finding);
if (findings.length > 0) process.exitCode = 1;

/** A sentence may go on in the next line. */
function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8').replace(/\s+/g, ' ');
}

/** A number, or a product of numbers, behind a name: `MAX = 5 * 60_000`, `maxMs: 5_000`; of a setting its default. */
function valueIn(source: string, name: string): number | undefined {
  const settings = 'Type\\.Integer\\(\\{[^}]*default: ';
  const behind = new RegExp(`\\b${name}\\s*[=:] ?(?:${settings})?'?([\\d_.]+(?: \\* [\\d_.]+)*)`);
  const [, product] = behind.exec(source) ?? [];
  return product?.split(' * ').reduce((all, factor) => all * number(factor), 1);
}

function number(text: string): number {
  return Number(text.replaceAll(/[_,]/g, ''));
}

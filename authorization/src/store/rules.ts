/** Reads and writes all versions of rules. Append-only. */
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { Rule } from '../domain/rule.ts';
import type { Database, RuleVersionsTable } from './database.ts';

const COLUMNS = [
  'id',
  'version',
  'name',
  'expression',
  'action',
  'message',
  'enabled',
  'created_by',
  'client_id',
  'trace_id',
  'call_id',
  'created_at',
] as const;

type RuleRow = Selectable<Pick<RuleVersionsTable, (typeof COLUMNS)[number]>>;

function toRule({ created_by, client_id, trace_id, call_id, created_at, ...row }: RuleRow): Rule {
  const origin = {
    callerId: created_by,
    clientId: client_id ?? undefined,
    traceId: trace_id,
    callId: call_id ?? undefined,
  };
  return { ...row, origin, createdAt: created_at };
}

/** Takes the lock that all writers of rules need. */
export async function lockRules(trx: Transaction<Database>): Promise<void> {
  await trx.selectFrom('ruleset').select('version').forUpdate().executeTakeFirstOrThrow();
}

/** Adds this version, which applies when the transaction commits. The caller holds the rules' lock. */
export async function insertRuleVersion(
  trx: Transaction<Database>,
  rule: Rule,
  requestId: string,
): Promise<void> {
  await trx
    .insertInto('rule_versions')
    .values({
      id: rule.id,
      version: rule.version,
      name: rule.name,
      expression: rule.expression,
      action: rule.action,
      message: rule.message,
      enabled: rule.enabled,
      created_by: rule.origin.callerId,
      client_id: rule.origin.clientId ?? null,
      request_id: requestId,
      trace_id: rule.origin.traceId,
      call_id: rule.origin.callId ?? null,
      created_at: rule.createdAt,
    })
    .execute();
  await trx.updateTable('ruleset').set({ version: sql`version + 1` }).execute();
}

/** Returns the newest version. */
export async function findRule(db: Kysely<Database>, id: string): Promise<Rule | undefined> {
  const row = await db
    .selectFrom('rule_versions')
    .where('id', '=', id)
    .select(COLUMNS)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && toRule(row);
}

/** Returns the first version of the rule with this name. */
export async function findRuleByName(db: Kysely<Database>, name: string): Promise<Rule | undefined> {
  const row = await db
    .selectFrom('rule_versions')
    .where('name', '=', name)
    .where('version', '=', 1n)
    .select(COLUMNS)
    .executeTakeFirst();
  return row && toRule(row);
}

/** Returns the first version of the rule that this request created. */
export async function findRuleByRequest(
  db: Kysely<Database>,
  { callerId, requestId }: { callerId: string; requestId: string },
): Promise<Rule | undefined> {
  const row = await db
    .selectFrom('rule_versions')
    .where('created_by', '=', callerId)
    .where('request_id', '=', requestId)
    .where('request_id', '<>', '')
    .select(COLUMNS)
    .executeTakeFirst();
  return row && toRule(row);
}

/** Lists the newest version of each rule, newest rule first, starting before `before`. */
export async function listRules(
  db: Kysely<Database>,
  { before, limit }: { before: string | undefined; limit: number },
): Promise<Rule[]> {
  let query = db.selectFrom('rule_versions').distinctOn('id').select(COLUMNS);
  if (before !== undefined) query = query.where('id', '<', before);
  const rows = await query.orderBy('id', 'desc').orderBy('version', 'desc').limit(limit).execute();
  return rows.map(toRule);
}

/** Lists all versions of a rule, newest first, starting before `before`. */
export async function listRuleVersions(
  db: Kysely<Database>,
  { id, before, limit }: { id: string; before: bigint | undefined; limit: number },
): Promise<Rule[]> {
  let query = db.selectFrom('rule_versions').where('id', '=', id).select(COLUMNS);
  if (before !== undefined) query = query.where('version', '<', before);
  const rows = await query.orderBy('version', 'desc').limit(limit).execute();
  return rows.map(toRule);
}

export interface Ruleset {
  readonly version: bigint;
  /** Lists the newest version of each enabled rule, in order of creation. */
  readonly rules: readonly Rule[];
}

/** Reads the enabled rules and their version in one statement, so that both are of the same moment. */
export async function findRuleset(db: Kysely<Database>): Promise<Ruleset> {
  const { rows } = await sql<{ ruleset: bigint } & (RuleRow | Record<keyof RuleRow, null>)>`
    select s.version as ruleset, r.*
    from ruleset as s left join (
      select distinct on (id) ${sql.join(COLUMNS.map((column) => sql.ref(column)))}
      from rule_versions order by id, version desc
    ) as r on r.enabled
    order by r.id`.execute(db);
  const [first] = rows;
  if (first === undefined) throw new Error('The ruleset has no version.');
  return {
    version: first.ruleset,
    rules: rows.flatMap(({ ruleset, ...row }) => (row.id === null ? [] : [toRule(row)])),
  };
}

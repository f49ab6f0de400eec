/** Reads rules and their versions. */
import { cutPage, decodePageToken, type Page, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { AuthorizationError } from '../domain/errors.ts';
import { isId } from '../domain/ids.ts';
import type { Rule } from '../domain/rule.ts';
import type { Database } from '../store/database.ts';
import { findRule, listRules, listRuleVersions } from '../store/rules.ts';

/** The content of a page token: the last rule, or the last version, of the page. */
const RulePosition = Type.Object({ id: Type.String() });
const VersionPosition = Type.Object({ version: Type.Integer({ minimum: 1 }) });

interface ReadDeps {
  db: Kysely<Database>;
}

interface PageRequest {
  pageSize: number;
  pageToken: string;
}

/** Throws RULE_NOT_FOUND. */
export async function readRule({ db }: ReadDeps, ruleId: string): Promise<Rule> {
  requireRuleId(ruleId);
  const rule = await findRule(db, ruleId);
  if (rule === undefined) throw ruleNotFound();
  return rule;
}

/** The newest version of each rule, the newest rule first. */
export async function readRules({ db }: ReadDeps, { pageSize, pageToken }: PageRequest): Promise<Page<Rule>> {
  const before = decodePageToken(pageToken, RulePosition)?.id;
  const limit = pageSizeOf(pageSize);
  return cutPage(await listRules(db, { before, limit: limit + 1 }), limit, ({ id }) => ({ id }));
}

/** All versions of a rule, newest first. Throws RULE_NOT_FOUND. */
export async function readRuleVersions(
  { db }: ReadDeps,
  { ruleId, pageSize, pageToken }: PageRequest & { ruleId: string },
): Promise<Page<Rule>> {
  const position = decodePageToken(pageToken, VersionPosition);
  const limit = pageSizeOf(pageSize);
  const { id } = await readRule({ db }, ruleId);
  const before = position && BigInt(position.version);
  const found = await listRuleVersions(db, { id, before, limit: limit + 1 });
  return cutPage(found, limit, ({ version }) => ({ version: Number(version) }));
}

/** An invalid id is not the id of any rule. Throws RULE_NOT_FOUND. */
export function requireRuleId(ruleId: string): void {
  if (!isId(ruleId)) throw ruleNotFound();
}

function ruleNotFound(): AuthorizationError {
  return new AuthorizationError('RULE_NOT_FOUND', 'There is no such rule.');
}

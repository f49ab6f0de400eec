/** RuleService: saves, reads and backtests rules, in all their versions. */
import {
  type BoundService,
  bindService,
  cutPage,
  decodePageToken,
  newId,
  pageSizeOf,
  sharedRuns,
} from '@payflowx/chassis';
import { RuleServiceService } from '@payflowx/proto/authorization';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { type Backtest, backtestRule, validExpression } from '../app/backtest-rule.ts';
import { createRule, updateRule } from '../app/save-rule.ts';
import { AuthorizationError } from '../domain/errors.ts';
import { isId } from '../domain/ids.ts';
import type { Rule } from '../domain/rule.ts';
import type { Database } from '../store/database.ts';
import { findRule, listRules, listRuleVersions } from '../store/rules.ts';
import { RULE_ACCESS } from './access.ts';
import { actorOf } from './actor.ts';
import { ERRORS } from './errors.ts';
import {
  toBacktestMessage,
  toBacktestPeriod,
  toCreateRuleCommand,
  toRuleMessage,
  toRuleUpdate,
} from './rule-messages.ts';

/** The content of a page token: the last rule, or the last version, of the page. */
const RulePosition = Type.Object({ id: Type.String() });
const VersionPosition = Type.Object({ version: Type.Integer({ minimum: 1 }) });

interface RuleServiceDeps {
  db: Kysely<Database>;
  backtestDb: Kysely<Database>;
  now: () => Date;
}

/** One backtest runs at a time. Equal ones that wait share a run. */
const BACKTESTS = { maxQueued: 4, maxCallers: 100, retryAfterMs: 5_000 };

export function ruleService({ db, backtestDb, now }: RuleServiceDeps): BoundService {
  const backtests = sharedRuns<Backtest>(BACKTESTS);
  const deps = { db, now, newRuleId: () => newId('rule') };
  return bindService(RuleServiceService, {
    access: RULE_ACCESS,
    errors: ERRORS,
    // A backtest of a long period takes long, since it lets payments go first.
    longestMs: { backtestRule: 10 * 60_000 },
    handlers: {
      async createRule(request, call) {
        const rule = await createRule(deps, toCreateRuleCommand(request, actorOf(call)));
        return { rule: toRuleMessage(rule) };
      },

      async updateRule(request, call) {
        requireRuleId(request.ruleId);
        const rule = await updateRule(deps, { ...toRuleUpdate(request), actor: actorOf(call) });
        return { rule: toRuleMessage(rule) };
      },

      async getRule({ ruleId }) {
        return { rule: toRuleMessage(await requireRule(db, ruleId)) };
      },

      async listRules({ pageSize, pageToken }) {
        const before = decodePageToken(pageToken, RulePosition)?.id;
        const limit = pageSizeOf(pageSize);
        const found = await listRules(db, { before, limit: limit + 1 });
        const { rows, nextPageToken } = cutPage(found, limit, ({ id }) => ({ id }));
        return { rules: rows.map(toRuleMessage), nextPageToken };
      },

      async listRuleVersions({ ruleId, pageSize, pageToken }) {
        const position = decodePageToken(pageToken, VersionPosition);
        const limit = pageSizeOf(pageSize);
        const { id } = await requireRule(db, ruleId);
        const before = position && BigInt(position.version);
        const found = await listRuleVersions(db, { id, before, limit: limit + 1 });
        const { rows, nextPageToken } = cutPage(found, limit, ({ version }) => ({
          version: Number(version),
        }));
        return { versions: rows.map(toRuleMessage), nextPageToken };
      },

      async backtestRule(request, call) {
        toBacktestPeriod(request, now());
        const expression = validExpression(request.expression);
        const key = JSON.stringify([request.expression, request.from, request.to]);
        const result = await backtests.run(key, call.deadline, ({ deadline }) => {
          // A period without an end reaches to the start of the run.
          const period = toBacktestPeriod(request, now());
          return backtestRule({ backtestDb, now }, { expression, period, deadline });
        });
        return toBacktestMessage(result);
      },
    },
  });
}

/** Throws RULE_NOT_FOUND. */
async function requireRule(db: Kysely<Database>, ruleId: string): Promise<Rule> {
  requireRuleId(ruleId);
  const rule = await findRule(db, ruleId);
  if (rule === undefined) throw notFound();
  return rule;
}

/** An invalid id is not the id of any rule. */
function requireRuleId(ruleId: string): void {
  if (!isId(ruleId)) throw notFound();
}

function notFound(): AuthorizationError {
  return new AuthorizationError('RULE_NOT_FOUND', 'There is no such rule.');
}

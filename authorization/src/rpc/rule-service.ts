/** RuleService: saves, reads and backtests rules, in all their versions. */
import { type BoundService, bindService, newId, originOf, sharedRuns } from '@payflowx/chassis';
import { RuleServiceService } from '@payflowx/proto/authorization';
import type { Kysely } from 'kysely';
import { type Backtest, backtestRule, validExpression } from '../app/backtest-rule.ts';
import { readRule, readRules, readRuleVersions, requireRuleId } from '../app/read-rules.ts';
import { createRule, updateRule } from '../app/save-rule.ts';
import type { Database } from '../store/database.ts';
import { RULE_ACCESS } from './access.ts';
import { ERRORS } from './errors.ts';
import {
  toBacktestMessage,
  toBacktestPeriod,
  toCreateRuleCommand,
  toRuleMessage,
  toRuleUpdate,
} from './rule-messages.ts';

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
        const rule = await createRule(deps, toCreateRuleCommand(request, originOf(call)));
        return { rule: toRuleMessage(rule) };
      },

      async updateRule(request, call) {
        requireRuleId(request.ruleId);
        const rule = await updateRule(deps, { ...toRuleUpdate(request), origin: originOf(call) });
        return { rule: toRuleMessage(rule) };
      },

      async getRule({ ruleId }) {
        return { rule: toRuleMessage(await readRule({ db }, ruleId)) };
      },

      async listRules(request) {
        const { rows, nextPageToken } = await readRules({ db }, request);
        return { rules: rows.map(toRuleMessage), nextPageToken };
      },

      async listRuleVersions(request) {
        const { rows, nextPageToken } = await readRuleVersions({ db }, request);
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

/** Rules as files: check them, try them on past payments, and make the platform have them. */
import { readFileSync } from 'node:fs';
import { type PayFlowX, PayFlowXError, type Schema } from '@payflowx/client';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { act, type Environment, type ListOptions, pageSize, take, withLimit } from '../environment.ts';
import { BadResult, UsageError } from '../exit.ts';
import { withProgress } from '../output.ts';

type Rule = Schema<'Rule'>;

/** A rule in a file. */
interface WantedRule {
  name: string;
  expression: string;
  action: Rule['action'];
  message: string;
  enabled: boolean;
}

const FILE_HELP = `
A file has one rule or a list of rules, as YAML or JSON:

  - name: large-at-night
    expression: payment.amount > 100000 && payment.hour < 6
    action: decline          # decline, allow or shadow
    message: Too large at this hour.
    enabled: true`;

export function ruleCommands(program: Command): void {
  const rules = program.command('rules').description('rules that decide on payments');
  addReads(rules);

  rules
    .command('lint <file...>')
    .description('check rules without saving them, and name the position of each mistake')
    .addHelpText('after', FILE_HELP)
    .action(
      act(async ({ api, output }, files) => {
        const checked = await Promise.all(files.flatMap(readRules).map((rule) => lint(api, rule)));
        output.rows(checked, [
          ['rule', ({ name }) => name],
          ['mistake', ({ mistake }) => mistake ?? 'none'],
        ]);
        if (checked.some(({ mistake }) => mistake !== null)) throw new BadResult('Some rules have mistakes.');
      }),
    );

  rules
    .command('backtest <file>')
    .description('try the rules of a file on past payments; writes nothing')
    .option('--expression', 'the argument is an expression, not a file')
    .option('--from <time>', 'default: a day before --to')
    .option('--to <time>', 'default: now')
    .action(
      act<{ expression?: true; from?: string; to?: string }>(
        async ({ api, output }, [given = ''], options) => {
          const rules = options.expression ? [{ name: '', expression: given }] : readRules(given);
          const { from, to } = options;
          const results = [];
          for (const { name, expression } of rules) {
            const body = { expression, ...(from && { from }), ...(to && { to }) };
            const { data } = await withProgress(
              `Trying ${name || expression}`,
              api.post('/v1/rules/backtest', { body }),
            );
            results.push({ name, ...data });
          }
          output.rows(results, [
            ['rule', ({ name }) => name],
            ['tried', ({ tried_count }) => tried_count, 'right'],
            ['matched', ({ matched_count }) => matched_count, 'right'],
            ['newly declined', ({ newly_declined_count }) => newly_declined_count, 'right'],
            ['errors', ({ error_count }) => error_count, 'right'],
            ['first error', ({ first_error }) => first_error],
          ]);
        },
      ),
    );

  rules
    .command('apply')
    .description('create and change rules, so that they are as in the file; other rules stay')
    .requiredOption('-f, --file <file>', 'the file')
    .option('--dry-run', 'show what would change, and change nothing')
    .addHelpText('after', FILE_HELP)
    .action(act<{ file: string; dryRun?: true }>(async (env, _, options) => apply(env, options)));
}

function addReads(rules: Command): void {
  withLimit(rules.command('list'))
    .description('list the newest version of every rule')
    .action(
      act<ListOptions>(async ({ api, output }, _, options) => {
        const query = pageSize(options);
        output.rows(await take(api.list('/v1/rules', { params: { query } }), options), [
          ['id', ({ id }) => id],
          ['name', ({ name }) => name],
          ['version', ({ version }) => version, 'right'],
          ['action', ({ action }) => action],
          ['enabled', ({ enabled }) => enabled],
          ['expression', ({ expression }) => expression],
        ]);
      }),
    );

  rules
    .command('get <rule>')
    .description('show a rule')
    .action(
      act(async ({ api, output }, [id = '']) => {
        const { data } = await api.get('/v1/rules/{id}', { params: { path: { id } } });
        output.object(data, [
          ['id', (rule) => rule.id],
          ['name', ({ name }) => name],
          ['version', ({ version }) => version],
          ['action', ({ action }) => action],
          ['enabled', ({ enabled }) => enabled],
          ['message', ({ message }) => message],
          ['expression', ({ expression }) => expression],
          ['by', ({ created_by }) => created_by],
          ['at', ({ created_at }) => created_at],
        ]);
      }),
    );
}

const ACTIONS = ['decline', 'allow', 'shadow'];
const FIELDS = ['name', 'expression', 'action', 'message', 'enabled'];

/** Throws UsageError with the file, the rule and the field. */
function readRules(file: string): WantedRule[] {
  let content: unknown;
  try {
    content = parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
  return [content].flat().map((rule, index) => checkedRule(rule, `${file}, rule ${index + 1}`));
}

function checkedRule(rule: unknown, where: string): WantedRule {
  if (typeof rule !== 'object' || rule === null) throw new UsageError(`${where}: is no rule.`);
  const { name, expression, action, message = '', enabled = true } = rule as Record<string, unknown>;
  const unknown = Object.keys(rule).filter((field) => !FIELDS.includes(field));
  if (unknown.length > 0) throw new UsageError(`${where}: unknown field ${unknown.join(', ')}.`);
  for (const [field, value] of Object.entries({ name, expression, message }))
    if (typeof value !== 'string') throw new UsageError(`${where}: ${field} must be a text.`);
  if (!ACTIONS.includes(action as string))
    throw new UsageError(`${where}: action must be ${ACTIONS.join(', ')}.`);
  if (typeof enabled !== 'boolean') throw new UsageError(`${where}: enabled must be true or false.`);
  return { name, expression, action, message, enabled } as WantedRule;
}

/** The platform checks an expression before it tries it. A moment without payments costs nothing. */
async function lint(
  api: PayFlowX,
  { name, expression }: WantedRule,
): Promise<{ name: string; mistake: string | null }> {
  const [from, to] = [new Date(0).toISOString(), new Date(1).toISOString()];
  try {
    await api.post('/v1/rules/backtest', { body: { expression, from, to } });
    return { name, mistake: null };
  } catch (error) {
    if (!(error instanceof PayFlowXError) || error.status !== 400) throw error;
    return { name, mistake: error.problem.errors?.[0]?.detail ?? error.problem.detail ?? error.message };
  }
}

type Change = { name: string; change: 'create' | 'update' | 'none'; fields: string[] };

async function apply(env: Environment, { file, dryRun }: { file: string; dryRun?: true }): Promise<void> {
  const wanted = readRules(file);
  const present = new Map<string, Rule>();
  for await (const rule of env.api.list('/v1/rules', { params: { query: { limit: 100 } } }))
    present.set(rule.name, rule);
  const plan = wanted.map((rule) => ({ rule, known: present.get(rule.name) }));
  if (dryRun) {
    const mistakes = (await Promise.all(wanted.map((rule) => lint(env.api, rule)))).filter(
      ({ mistake }) => mistake,
    );
    if (mistakes.length > 0)
      throw new BadResult(mistakes.map(({ name, mistake }) => `${name}: ${mistake}`).join('\n'));
  }
  const changes: Change[] = [];
  for (const { rule, known } of plan) {
    const change = changeOf(rule, known);
    if (!dryRun) await save(env.api, rule, known, change);
    changes.push(change);
  }
  env.output.rows(changes, [
    ['rule', ({ name }) => name],
    [dryRun ? 'would' : 'done', ({ change }) => change],
    ['fields', ({ fields }) => fields.join(', ')],
  ]);
}

function changeOf(rule: WantedRule, known: Rule | undefined): Change {
  if (!known) return { name: rule.name, change: 'create', fields: [] };
  const same = { ...known, message: known.message ?? '' };
  const fields = FIELDS.filter(
    (field) => rule[field as keyof WantedRule] !== same[field as keyof WantedRule],
  );
  return { name: rule.name, change: fields.length > 0 ? 'update' : 'none', fields };
}

/** A rule that another operator changed meanwhile is not overwritten: VERSION_MISMATCH. */
async function save(
  api: PayFlowX,
  rule: WantedRule,
  known: Rule | undefined,
  { change }: Change,
): Promise<void> {
  if (change === 'none') return;
  const { name, message, ...rest } = rule;
  if (!known) {
    await api.post('/v1/rules', { body: { name, ...rest, ...(message && { message }) } });
    return;
  }
  const params = { path: { id: known.id }, header: { 'if-match': `"${known.version}"` } };
  await api.patch('/v1/rules/{id}', { params, body: { ...rest, message } });
}

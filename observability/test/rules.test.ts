/** The rules and dashboards, without a platform. */
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { installPrometheus } from '../../infra/src/observe/prometheus.ts';
import { root } from '../../infra/src/paths.ts';
import { capture } from '../../infra/src/run.ts';
import { DASHBOARDS } from '../src/dashboards.ts';
import { toGrafana } from '../src/panels.ts';

const folder = join(root, 'observability');
const rules = readFileSync(join(folder, 'rules/payflowx.yaml'), 'utf8');
const live = globSync(join(folder, 'live/*.test.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');
const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);

it('each alert fires and clears in its unit test', async () => {
  await installPrometheus(() => undefined);
  const { code, output } = await capture(['promtool', 'test', 'rules', join(folder, 'test/rules.test.yaml')]);
  expect(output).toContain('SUCCESS');
  expect(code).toBe(0);
});

it.each(alerts)('%s has a unit test that sees it fire, a test that causes it, and a runbook', (alert) => {
  const cases = readFileSync(join(folder, 'test/rules.test.yaml'), 'utf8');
  expect(cases).toMatch(new RegExp(`alertname: ${alert}\\n +exp_alerts:\\n`));
  expect(live).toContain(`'${alert}'`);
  const [, rule = ''] = rules.split(`- alert: ${alert}\n`);
  const [, runbook = ''] = rule.match(/runbook: (\S+)/) ?? [];
  expect(readFileSync(join(root, runbook), 'utf8')).toContain(alert);
});

it('the dashboards in the folder are those of the code', () => {
  const written = readdirSync(join(folder, 'dashboards')).sort();
  expect(written).toEqual(DASHBOARDS.map(({ name }) => `${name}.json`).sort());
  for (const dashboard of DASHBOARDS)
    expect(readFileSync(join(folder, `dashboards/${dashboard.name}.json`), 'utf8')).toBe(
      toGrafana(dashboard),
    );
});

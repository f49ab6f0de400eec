/** A real Prometheus of the tests' own: the platform's targets, the platform's rules with shortened times. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../infra/src/free-port.ts';
import { configuration, installPrometheus } from '../../infra/src/observe/prometheus.ts';
import { root } from '../../infra/src/paths.ts';
import { instances } from '../../infra/src/services.ts';
import { loadSettings } from '../../infra/src/settings.ts';

export interface Prometheus {
  /** The series of a query, each with its value. */
  query(text: string): Promise<{ metric: Record<string, string>; value: number }[]>;
  /** Sees the alerts fire after the cause and clear after the cure, which also ends the cause if they do not fire. */
  fires(alerts: string[], cause: () => Promise<unknown>, cure: () => Promise<unknown>): Promise<void>;
  /** The folder that node_exporter reads figures from. */
  figures: string;
  stop(): Promise<void>;
}

/** Minutes in the rules are seconds here. Conditions and thresholds of money stay as they are. */
const SHORTER: [RegExp, string][] = [
  [/for: \w+/g, 'for: 0s'],
  [/\[5m\]/g, '[12s]'],
  [/\[(30m|15m)\]/g, '[20s]'],
  [/\[(1h|6h)\]/g, '[24s]'],
  [/oldest_age_seconds\) > 30/, 'oldest_age_seconds) > 6'],
  [/lag_seconds\) > 60/, 'lag_seconds) > 10'],
  [/(26|50) \* 3600/g, '3600'],
  // The test's disk is a small one in memory.
  [/\{fstype!~"[^"]*"\}/g, '{mountpoint=~".*payflowx-full-disk.*"}'],
];

const PATIENCE_MS = 110_000;
const STEP_MS = 500;

export async function startPrometheus(): Promise<Prometheus> {
  await installPrometheus(() => undefined);
  const folder = await mkdtemp(join(tmpdir(), 'payflowx-prometheus-'));
  const figures = join(folder, 'figures');
  await mkdir(figures);
  const [port, node] = [await freePort(), await freePort()];
  const rules = await readFile(join(root, 'observability/rules/payflowx.yaml'), 'utf8');
  await writeFile(
    join(folder, 'rules.yaml'),
    SHORTER.reduce((text, [long, short]) => text.replace(long, short), rules),
  );
  const all = instances(loadSettings(process.env));
  await writeFile(
    join(folder, 'prometheus.yaml'),
    configuration(all, { node, rules: join(folder, 'rules.yaml'), everyS: 2 }),
  );
  const children = [
    start('prometheus', [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]),
    start('prometheus-node-exporter', [
      `--web.listen-address=127.0.0.1:${node}`,
      `--collector.textfile.directory=${figures}`,
      // A file system in memory counts here, too.
      '--collector.filesystem.fs-types-exclude=^proc$',
    ]),
  ];
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    // biome-ignore lint/suspicious/noExplicitAny: Prometheus' answers have many forms.
    const { data, error }: any = await answer.json();
    if (!answer.ok) throw new Error(`${path}: ${error}`);
    return data;
  };
  const isFiring = async (alert: string): Promise<boolean> => {
    const { alerts } = await get('/api/v1/alerts');
    return alerts.some((each: { labels: { alertname: string }; state: string }) => {
      return each.labels.alertname === alert && each.state === 'firing';
    });
  };
  const until = async (what: string, check: () => Promise<boolean>) => {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(STEP_MS))
      if (await check().catch(() => false)) return;
    throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
  };
  await until('Prometheus has read every target', async () => {
    const { activeTargets } = await get('/api/v1/targets');
    return (
      activeTargets.length > 0 && activeTargets.every(({ health }: { health: string }) => health === 'up')
    );
  });
  const query: Prometheus['query'] = async (text) => {
    const { result } = await get(`/api/v1/query?query=${encodeURIComponent(text)}`);
    return result.map(
      ({ metric, value: [, value] }: { metric: Record<string, string>; value: [number, string] }) => ({
        metric,
        value: Number(value),
      }),
    );
  };
  return {
    figures,
    query,
    async fires(alerts, cause, cure) {
      try {
        await cause();
        await Promise.all(alerts.map((alert) => until(`${alert} fires`, () => isFiring(alert))));
      } finally {
        await cure();
      }
      await Promise.all(
        alerts.map((alert) => until(`${alert} clears`, async () => !(await isFiring(alert)))),
      );
    },
    async stop() {
      await Promise.all(children.map(end));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function start(program: string, options: string[]): ChildProcess {
  return spawn(program, options, { stdio: 'ignore' });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

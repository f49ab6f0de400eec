/** Prometheus and node_exporter, natively, from Debian's packages. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installDebianPackages } from '../debian.ts';
import { local, root } from '../paths.ts';
import type { Note } from '../progress.ts';
import { which } from '../run.ts';
import { type Instance, SERVICE_NAMES } from '../services.ts';
import type { Settings } from '../settings.ts';
import { fingerprint, type Program } from '../supervisor-config.ts';

const folder = join(local, 'prometheus');

/** Commands that run now and then leave their figures here, one file each, for node_exporter: backups, for instance. */
export const TEXT_FIGURES = join(local, 'figures');

const LOOPBACK = '127.0.0.1';
const KEPT_FOR = '15d';

export async function installPrometheus(note: Note): Promise<void> {
  const programs = ['prometheus', 'promtool', 'prometheus-node-exporter'];
  const found = await Promise.all(programs.map((program) => which(program)));
  if (found.every((path) => path !== undefined)) return;
  await installDebianPackages(['prometheus', 'prometheus-node-exporter'], 'Prometheus', note);
}

/** Writes the configuration. Returns the programs of Prometheus and node_exporter. */
export async function prometheusPrograms({ ports }: Settings, all: readonly Instance[]): Promise<Program[]> {
  const file = join(folder, 'prometheus.yaml');
  const contents = configuration(all, {
    node: ports.node_exporter,
    rules: join(root, 'observability/rules/*.yaml'),
  });
  await mkdir(join(folder, 'data'), { recursive: true });
  await mkdir(TEXT_FIGURES, { recursive: true });
  await writeFile(file, contents);
  return [
    {
      name: 'prometheus',
      command: [
        'prometheus',
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--storage.tsdb.retention.time=${KEPT_FOR}`,
        `--web.listen-address=${LOOPBACK}:${ports.prometheus}`,
      ],
      folder,
      env: fingerprint(contents),
      stopSignal: 'TERM',
      isBackground: true,
    },
    {
      name: 'node_exporter',
      command: [
        'prometheus-node-exporter',
        `--web.listen-address=${LOOPBACK}:${ports.node_exporter}`,
        `--collector.textfile.directory=${TEXT_FIGURES}`,
      ],
      folder,
      env: {},
      stopSignal: 'TERM',
      isBackground: true,
    },
  ];
}

/** Prometheus' configuration, as JSON, which is YAML too. The job is the service. */
export function configuration(
  all: readonly Pick<Instance, 'service' | 'metricsPort'>[],
  { node, rules, everyS = 5 }: { node: number; rules: string; everyS?: number },
): string {
  const jobs = SERVICE_NAMES.map((service) => ({
    job_name: service as string,
    static_configs: [
      {
        targets: all
          .filter((each) => each.service === service)
          .map(({ metricsPort }) => `${LOOPBACK}:${metricsPort}`),
      },
    ],
  }));
  const machine = { job_name: 'node', static_configs: [{ targets: [`${LOOPBACK}:${node}`] }] };
  return JSON.stringify(
    {
      global: { scrape_interval: `${everyS}s`, evaluation_interval: `${everyS}s` },
      rule_files: [rules],
      scrape_configs: [...jobs, machine],
    },
    null,
    2,
  );
}

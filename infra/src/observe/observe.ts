/** `make observe`: Prometheus and Jaeger beside the running platform. `make down` stops them too. */
import { Failure } from '../failure.ts';
import { say, step } from '../progress.ts';
import { poll } from '../run.ts';
import { instances } from '../services.ts';
import type { Settings } from '../settings.ts';
import { findRunningSupervisor } from '../supervisor.ts';
import { requireFreePorts } from '../taken-ports.ts';
import { hasJaegerPage, installJaeger, jaegerProgram } from './jaeger.ts';
import { installPrometheus, prometheusPrograms } from './prometheus.ts';

const GROUP = 'observe';
/** Stopped after the services and before the servers. */
const RANK = 150;
const PORTS = ['prometheus', 'node_exporter', 'jaeger', 'jaeger_grpc', 'jaeger_otlp'] as const;
const READY_WITHIN_MS = 30_000;

export async function observe(settings: Settings): Promise<void> {
  const supervisor = await findRunningSupervisor();
  if (!supervisor) throw new Failure('The platform is not running.', 'Start it with `make up`.');
  const states = await supervisor.states();
  // The instances that run, whatever number this command was given.
  const running = new Set(states.map(({ name }) => name));
  const all = instances({ ...settings, instances: 2 }).filter(({ name }) => running.has(name));
  const { prometheus, jaeger } = settings.ports;
  await step('observe', async (note) => {
    const [binary] = await Promise.all([installJaeger(note), installPrometheus(note)]);
    if (!states.some(({ group }) => group === GROUP))
      await requireFreePorts(PORTS.map((name) => ({ name, port: settings.ports[name] })));
    const programs = [...(await prometheusPrograms(settings, all)), await jaegerProgram(binary, settings)];
    await supervisor.run({ name: GROUP, rank: RANK, programs });
    await requireReady('prometheus', `http://127.0.0.1:${prometheus}/-/ready`);
    await requireReady('jaeger', `http://127.0.0.1:${jaeger}/api/services`);
    return 'Prometheus and Jaeger are ready';
  });
  say('prometheus', `http://127.0.0.1:${prometheus}`, '✓');
  say('targets', `http://127.0.0.1:${prometheus}/targets`, '✓');
  say('alerts', `http://127.0.0.1:${prometheus}/alerts`, '✓');
  const hasPage = await hasJaegerPage();
  const traces = hasPage ? 'search?service=gateway' : 'api/traces?service=gateway&limit=20';
  say('traces', `http://127.0.0.1:${jaeger}/${traces}`, '✓');
  if (!hasPage)
    say('traces', 'as JSON: the Go module has no page. With a released `jaeger` on the PATH there is one');
  if (!settings.traces)
    say('traces', 'the services send none: they were started without TRACES=1, which `make observe` sets');
  say('dashboards', 'observability/dashboards/*.json, for a Grafana of your own', '✓');
}

async function requireReady(name: string, url: string): Promise<void> {
  const ask = async () => {
    const { ok } = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    if (!ok) throw new Error('not ready');
    return true;
  };
  if (!(await poll(ask, READY_WITHIN_MS)))
    throw new Failure(`${name} does not get ready.`, `See .local/logs/${name}.log.`);
}

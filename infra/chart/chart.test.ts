/** The Helm chart, rendered. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SERVICE_CALLERS } from '../../e2e/src/access-table.ts';
import { chart, schemaFile, settingsOf, valuesSchema } from '../src/chart/values-schema.ts';
import { root } from '../src/paths.ts';
import { SERVICE_NAMES } from '../src/services.ts';
import { byService, CONSUL, helm, LEAST, type PolicyRule, type Resource, render, WHOLE } from './render.ts';

const SETS = [
  ['the least', LEAST],
  ['everything', WHOLE],
  ['Consul', CONSUL],
] as const;

/** A number of the code, such as `const SHUTDOWN_LIMIT_MS = 15_000;`. */
function constantOf(file: string, name: string): number {
  const [, number = ''] =
    readFileSync(join(root, file), 'utf8').match(new RegExp(`${name} = ([\\d_]+)`)) ?? [];
  expect(number).not.toBe('');
  return Number(number.replaceAll('_', ''));
}

const componentOf = (selector: { matchLabels: Record<string, string> }): string =>
  selector.matchLabels['app.kubernetes.io/component'] ?? '';

function podOf({ spec }: Resource) {
  return { ...spec.template.spec, container: spec.template.spec.containers[0] };
}

it('the schema of the values has the settings that the services declare', async () => {
  expect(JSON.parse(readFileSync(schemaFile, 'utf8'))).toEqual(await valuesSchema());
});

it('refuses a setting that the service does not have', async () => {
  const values = { ...LEAST, services: { ledger: { env: { REQUESTS_PER_MINUTE: '1' } } } };
  await expect(render(values)).rejects.toThrow('REQUESTS_PER_MINUTE');
});

it('refuses a secret as a value', async () => {
  const values = { ...LEAST, services: { ledger: { env: { POSTGRES_URL: 'postgres://…' } } } };
  await expect(render(values)).rejects.toThrow('POSTGRES_URL');
});

it('names a value that is missing', async () => {
  await expect(render({ certificates: LEAST.certificates })).rejects.toThrow('kafka.brokers is missing');
});

describe.each(SETS)('with %s', (_, values) => {
  it('passes the lint of Helm', async () => {
    const { code, output } = await helm(['lint', '--strict', '--kube-version', '1.34.0', chart], values);
    expect(output).toContain('0 chart(s) failed');
    expect(code).toBe(0);
  });

  it('has a Deployment, a ServiceAccount and a PodDisruptionBudget for each service', async () => {
    const resources = await render(values);
    for (const kind of ['Deployment', 'PodDisruptionBudget', 'HorizontalPodAutoscaler']) {
      expect([...byService(resources, kind).keys()].sort()).toEqual([...SERVICE_NAMES].sort());
    }
    const accounts = byService(resources, 'ServiceAccount');
    expect([...accounts.keys()].sort()).toEqual([...SERVICE_NAMES, 'migrate'].sort());
    for (const account of accounts.values()) expect(account.automountServiceAccountToken).toBe(false);
  });

  it('restricts every pod, and gives it no token of the cluster', async () => {
    const resources = await render(values);
    const pods = resources.filter(({ kind }) => kind === 'Deployment' || kind === 'Job').map(podOf);
    expect(pods).toHaveLength(2 * SERVICE_NAMES.length - 1);
    for (const { container, ...pod } of pods) {
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources.requests.cpu).toBeTruthy();
      expect(container.resources.limits.memory).toBeTruthy();
      // Services refuse secrets that every account may read.
      for (const { secret } of pod.volumes) if (secret) expect(secret.defaultMode).toBe(0o440);
    }
  });

  it('has probes that the services answer', async () => {
    for (const [service, deployment] of byService(await render(values), 'Deployment')) {
      const { container } = podOf(deployment);
      const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe];
      const asked = probes.map((probe) => probe?.httpGet?.path ?? probe?.exec?.command.at(-1));
      expect(asked).toEqual(
        service === 'gateway'
          ? ['/healthz', '/healthz', '/healthz']
          : ['/payflowx/probe.mjs', '/payflowx/probe.mjs', '/metrics'],
      );
    }
  });

  it('replaces pods without a gap, and leaves them the time that a shutdown takes', async () => {
    const longestMs = constantOf('chassis/src/process/run.ts', 'SHUTDOWN_LIMIT_MS');
    expect(longestMs).toBeGreaterThan(constantOf('chassis/src/rpc/server.ts', 'DRAIN_LIMIT_MS'));
    for (const deployment of byService(await render(values), 'Deployment').values()) {
      const { container, ...pod } = podOf(deployment);
      expect(deployment.spec.strategy).toMatchObject({ rollingUpdate: { maxUnavailable: 0 } });
      expect(pod.topologySpreadConstraints).toHaveLength(2);
      const delayMs = (container.lifecycle?.preStop.sleep.seconds ?? 0) * 1_000;
      expect(delayMs).toBeGreaterThan(0);
      expect((pod.terminationGracePeriodSeconds ?? 0) * 1_000).toBeGreaterThan(delayMs + longestMs);
    }
  });

  it('sets only variables that the service reads, each once, and no secret', async () => {
    for (const [service, deployment] of byService(await render(values), 'Deployment')) {
      const settings = await settingsOf(service);
      const { env } = podOf(deployment).container;
      const names = env.map(({ name }) => name);
      expect(names).toEqual([...new Set(names)]);
      for (const { name, value } of env) {
        const secret = name.replace(/_FILE$/, '');
        const isSecretFile = settings[secret]?.writeOnly === true;
        if (isSecretFile) expect(value).toBe(`/payflowx-secrets/${secret}`);
        else expect(settings[name], `${service}: ${name}`).toBeDefined();
        expect(settings[name]?.writeOnly ?? false, `${service}: ${name}`).toBe(false);
      }
    }
  });

  it('gives each service its required settings', async () => {
    for (const [service, deployment] of byService(await render(values), 'Deployment')) {
      const settings = Object.entries(await settingsOf(service));
      const required = settings.filter(([, each]) => each.default === undefined && !each.isOptional);
      const names = podOf(deployment).container.env.map(({ name }) => name.replace(/_FILE$/, ''));
      expect(names).toEqual(expect.arrayContaining(required.map(([name]) => name)));
    }
  });

  it('migrates the database of each service that has one, before an installation and an upgrade', async () => {
    const jobs = (await render(values)).filter(({ kind }) => kind === 'Job');
    expect(jobs.map(({ metadata }) => metadata.name).sort()).toEqual(
      SERVICE_NAMES.filter((name) => name !== 'gateway')
        .map((name) => `payflowx-${name}-migrate`)
        .sort(),
    );
    for (const job of jobs) {
      expect(job.metadata.annotations?.['helm.sh/hook']).toBe('pre-install,pre-upgrade');
      const { container } = podOf(job);
      expect(container.args).toEqual(['src/migrate.ts']);
      expect(container.env.map(({ name }) => name)).toEqual(['LOG_LEVEL', 'POSTGRES_MIGRATE_URL_FILE']);
    }
  });
});

describe('network policies', () => {
  const policies = async () => byService(await render(WHOLE), 'NetworkPolicy');

  /** The services that a rule is about. */
  const servicesOf = (rules: readonly PolicyRule[] = [], side: 'from' | 'to') =>
    rules.flatMap((rule) =>
      (rule[side] ?? []).flatMap(({ podSelector }) => (podSelector ? componentOf(podSelector) : [])),
    );

  it('deny everything first', async () => {
    const all = (await policies()).get('all');
    expect(all?.spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'] });
    expect(all?.spec.ingress ?? all?.spec.egress).toBeUndefined();
  });

  it('let a service call exactly those that its settings name', async () => {
    const found = await policies();
    for (const service of SERVICE_NAMES) {
      const targets = Object.keys(await settingsOf(service)).filter((name) => name.endsWith('_TARGET'));
      const names = targets.map((name) => name.replace('_TARGET', '').toLowerCase());
      expect(servicesOf(found.get(service)?.spec.egress, 'to').sort()).toEqual(names.sort());
    }
  });

  it('let a service be called by exactly those that call it', async () => {
    const found = await policies();
    for (const service of SERVICE_NAMES.filter((name) => name !== 'gateway')) {
      const callers = SERVICE_NAMES.filter((other) =>
        servicesOf(found.get(other)?.spec.egress, 'to').includes(service),
      );
      expect(servicesOf(found.get(service)?.spec.ingress, 'from').sort()).toEqual([...callers].sort());
    }
  });

  it('allow every call between services of the access tables', async () => {
    const found = await policies();
    const owners: Record<string, string> = {
      AccountService: 'authorization',
      AuthorizationService: 'authorization',
      TestClockService: 'authorization',
      AuthService: 'auth',
      PaymentService: 'payment',
      NotificationService: 'notification',
      AnalyticsService: 'analytics',
    };
    for (const [rpc, callers] of Object.entries(SERVICE_CALLERS)) {
      const owner = owners[rpc.split('/')[0] ?? ''] ?? '';
      const allowed = servicesOf(found.get(owner)?.spec.ingress, 'from');
      expect(allowed, rpc).toEqual(expect.arrayContaining([...callers]));
    }
  });

  it('send webhooks to public addresses only', async () => {
    const found = await policies();
    for (const [service, policy] of found) {
      const blocks = (policy.spec.egress ?? []).flatMap(({ to = [] }) =>
        to.flatMap(({ ipBlock }) => ipBlock ?? []),
      );
      expect(blocks).toHaveLength(service === 'notification' ? 1 : 0);
      if (blocks[0]) expect(blocks[0].except).toContain('10.0.0.0/8');
    }
  });
});

it('a service can have settings and a scale of its own', async () => {
  const services = {
    auth: { replicas: 3, autoscaling: { enabled: false }, env: { PASSKEY_RP_ID: 'pay.example' } },
  };
  const resources = await render({ ...LEAST, services });
  const auth = byService(resources, 'Deployment').get('auth') as Resource;
  expect(auth.spec.replicas).toBe(3);
  expect(podOf(auth).container.env).toContainEqual({ name: 'PASSKEY_RP_ID', value: 'pay.example' });
  const scalers = byService(resources, 'HorizontalPodAutoscaler');
  expect(scalers.has('auth')).toBe(false);
  expect(scalers.get('ledger')?.spec.minReplicas).toBe(2);
});

it('targets are DNS names of headless Services, or names in Consul', async () => {
  const targetOf = async (values: object) =>
    podOf(byService(await render(values), 'Deployment').get('payment') as Resource).container.env.find(
      ({ name }) => name === 'AUTHORIZATION_TARGET',
    )?.value;
  expect(await targetOf(LEAST)).toBe('dns:///payflowx-authorization.pay.svc.cluster.local:50052');
  expect(await targetOf(CONSUL)).toBe('consul:///authorization');
  const services = (await render(LEAST)).filter(
    ({ kind, metadata }) => kind === 'Service' && metadata.name !== 'payflowx-gateway',
  );
  for (const { spec } of services) expect(spec.clusterIP).toBe('None');
});

it('certificates have the identity that the services check', async () => {
  const { identityOf } = await import('../../chassis/src/tls/service-identity.ts');
  for (const [service, { spec }] of byService(await render(LEAST), 'Certificate')) {
    expect(identityOf(`URI:${spec.uris?.[0]}`)).toEqual({ trustDomain: 'payflowx.local', service });
  }
  expect(byService(await render(CONSUL), 'Certificate').size).toBe(0);
});

it('has the rules and the dashboards of observability', async () => {
  const resources = await render(WHOLE);
  const rules = resources.find(({ kind }) => kind === 'PrometheusRule');
  const alerts = (rules?.spec.groups ?? []).flatMap((group) =>
    group.rules.flatMap(({ alert }) => alert ?? []),
  );
  const source = readFileSync(join(root, 'observability/rules/payflowx.yaml'), 'utf8');
  expect(alerts).toHaveLength([...source.matchAll(/- alert: /g)].length);
  const dashboards = resources.filter(({ kind }) => kind === 'ConfigMap');
  expect(dashboards).toHaveLength(4);
  for (const { data = {} } of dashboards) for (const text of Object.values(data)) JSON.parse(text);
  expect(resources.find(({ kind }) => kind === 'ServiceMonitor')?.spec.jobLabel).toBe(
    'app.kubernetes.io/component',
  );
});

it('creates no Secret', async () => {
  for (const [, values] of SETS) {
    expect((await render(values)).filter(({ kind }) => kind === 'Secret')).toEqual([]);
  }
});

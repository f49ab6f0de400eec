/** Renders the chart with Helm. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { chart } from '../src/chart/values-schema.ts';
import { capture } from '../src/run.ts';

export interface EnvVariable {
  name: string;
  value?: string;
  valueFrom?: { fieldRef: { fieldPath: string } };
}

export interface Probe {
  httpGet?: { path: string; port: string; scheme?: string };
  exec?: { command: string[] };
}

export interface Container {
  image: string;
  args?: string[];
  env: EnvVariable[];
  securityContext: object;
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  lifecycle?: { preStop: { sleep: { seconds: number } } };
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  ports?: { name: string; containerPort: number }[];
}

export interface PodSpec {
  serviceAccountName: string;
  automountServiceAccountToken: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext: object;
  topologySpreadConstraints?: object[];
  containers: [Container];
  volumes: { name: string; secret?: { secretName: string; defaultMode: number } }[];
}

export interface Peer {
  podSelector?: { matchLabels: Record<string, string> };
  ipBlock?: { cidr: string; except: string[] };
}

export interface PolicyRule {
  ports: { port: number; protocol: string }[];
  from?: Peer[];
  to?: Peer[];
}

export interface Resource {
  kind: string;
  metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> };
  automountServiceAccountToken?: boolean;
  data?: Record<string, string>;
  spec: {
    template: { metadata: { labels: Record<string, string> }; spec: PodSpec };
    strategy?: object;
    replicas?: number;
    clusterIP?: string;
    maxUnavailable?: number;
    minReplicas?: number;
    ingress?: PolicyRule[];
    egress?: PolicyRule[];
    groups?: { rules: { alert?: string }[] }[];
    uris?: string[];
    jobLabel?: string;
  };
}

/** The least that the chart needs. */
export const LEAST = {
  kafka: { brokers: 'events-kafka-bootstrap:9093' },
  certificates: { issuer: { name: 'payflowx' } },
};

/** Every part is on. */
export const WHOLE = {
  ...LEAST,
  publicUrl: 'https://pay.example',
  postgres: { authority: { secret: 'database-ca' } },
  rabbitmq: { authority: { secret: 'rabbitmq-ca' } },
  kafka: { ...LEAST.kafka, authority: { secret: 'events-cluster-ca-cert' } },
  mail: { enabled: true, from: 'no-reply@pay.example' },
  traces: { endpoint: 'http://collector:4318' },
  metrics: {
    serviceMonitor: { enabled: true },
    rules: { enabled: true },
    dashboards: { enabled: true },
  },
  gateway: { httpsSecret: 'gateway-https' },
  services: { gateway: { replicas: 3, env: { REQUESTS_PER_MINUTE: 600, TRUST_PROXY: '10.0.0.1' } } },
};

/** Services find each other through Consul, and get their certificates from it. */
export const CONSUL = {
  kafka: { ...LEAST.kafka, login: false },
  discovery: { type: 'consul' },
  certificates: { source: 'consul' },
  consul: { url: 'https://consul-server:8501', authority: { secret: 'consul-ca-cert', key: 'tls.crt' } },
};

const folder = mkdtempSync(join(tmpdir(), 'payflowx-chart-'));

/** Runs Helm with these values. */
export async function helm(command: string[], values: object): Promise<{ code: number; output: string }> {
  const file = join(folder, 'values.json');
  writeFileSync(file, JSON.stringify(values));
  return capture([process.env.HELM ?? 'helm', ...command, '--values', file]);
}

/** Returns the resources that Helm would create. */
export async function render(values: object): Promise<Resource[]> {
  const command = ['template', 'payflowx', chart, '--namespace', 'pay', '--kube-version', '1.34.0'];
  const { code, output } = await helm(command, values);
  if (code !== 0) throw new Error(output);
  // Helm first says that it follows the links to the rules and the dashboards.
  const manifests = output.slice(output.search(/^---$/m));
  // Kubernetes reads YAML 1.1, where 0440 is octal.
  return parseAllDocuments(manifests, { version: '1.1' }).flatMap(
    (each) => (each as { toJS(): Resource | null }).toJS() ?? [],
  );
}

/** The resources of a kind, by the service in their labels. */
export function byService(resources: readonly Resource[], kind: string): Map<string, Resource> {
  return new Map(
    resources
      .filter((each) => each.kind === kind)
      .map((each) => [each.metadata.labels['app.kubernetes.io/component'] ?? '', each]),
  );
}

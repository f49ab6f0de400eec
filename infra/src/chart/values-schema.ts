/**
 * The schema of the chart's values. The names under `env` of a service are the settings that its `src/config.ts` declares, without
 * secrets and without those that the chart sets itself. With --write, the schema is written to the chart.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.ts';
import { SERVICE_NAMES } from '../services.ts';

export const chart = join(root, 'deploy/helm/payflowx');
export const schemaFile = join(chart, 'values.schema.json');

interface Setting {
  readonly writeOnly?: boolean;
  readonly default?: unknown;
  readonly isOptional: boolean;
}

/** The settings of a service, by name. */
export async function settingsOf(service: string): Promise<Record<string, Setting>> {
  const { schema } = await import(join(root, service, 'src/config.ts'));
  const { properties, required }: { properties: Record<string, object>; required: string[] } = schema;
  return Object.fromEntries(
    Object.entries(properties).map(([name, each]) => [
      name,
      { ...each, isOptional: !required.includes(name) },
    ]),
  );
}

/** The chart sets them from values of its own. */
const SET_BY_CHART =
  /^(INSTANCE_ID|LOG_LEVEL|FAULTS_DIR|HTTP_LISTEN_FD|CONSOLE_DIR|ADVERTISED_HOST|PUBLIC_URL|SMTP_STARTTLS|MAIL_FROM)$|^(GRPC|HTTP|METRICS)_(HOST|PORT)$|_TARGET$|^TLS_|^HTTPS_|^CONSUL_|^KAFKA_|^RABBITMQ_|^OTEL_/;

const text = { type: 'string' };
const flag = { type: 'boolean' };
const count = (minimum: number) => ({ type: 'integer', minimum });
const list = (items: object) => ({ type: 'array', items });
const labels = { type: 'object', additionalProperties: text };
const anything = { type: 'object' };

function closed(properties: Record<string, object>) {
  return { type: 'object', additionalProperties: false, properties };
}

const authority = closed({ secret: text, key: text });
const autoscaling = closed({ enabled: flag, max: count(1), cpuPercent: count(1) });
const switched = closed({ enabled: flag, labels });
const scaling = { replicas: count(1), autoscaling, resources: anything };
const egress = closed({ to: list(anything), ports: list(count(1)) });
const SERVERS = ['dns', 'postgres', 'kafka', 'rabbitmq', 'consul', 'smtp', 'traces'];

async function serviceSchema(service: string) {
  const settings = Object.entries(await settingsOf(service));
  const names = settings.flatMap(([name, { writeOnly }]) =>
    writeOnly || SET_BY_CHART.test(name) ? [] : [name],
  );
  const env = {
    type: 'object',
    propertyNames: { enum: names.sort() },
    additionalProperties: { type: ['string', 'number', 'boolean'] },
  };
  const others = { existingSecret: text, migrateSecret: text, identitySecret: text, kafkaUsername: text };
  return closed({ ...scaling, ...others, env });
}

export async function valuesSchema(): Promise<object> {
  const services = await Promise.all(
    SERVICE_NAMES.map(async (name) => [name, await serviceSchema(name)] as const),
  );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...closed({
      image: closed({
        repository: text,
        tag: text,
        pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
        pullSecrets: list(anything),
      }),
      logLevel: { enum: ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] },
      publicUrl: text,
      discovery: closed({ type: { enum: ['dns', 'consul'] }, clusterDomain: text }),
      consul: closed({ url: text, authority, hasToken: flag }),
      certificates: closed({
        source: { enum: ['cert-manager', 'secret', 'consul'] },
        trustDomain: { type: 'string', pattern: '^[a-z0-9._-]+$' },
        issuer: closed({ name: text, kind: text, group: text }),
        duration: text,
        renewBefore: text,
      }),
      postgres: closed({ authority }),
      kafka: closed({ brokers: text, tls: flag, authority, login: flag }),
      rabbitmq: closed({ authority }),
      mail: closed({ enabled: flag, from: text, startTls: { enum: ['required', 'if-offered', 'off'] } }),
      traces: closed({ endpoint: text, ratio: { type: 'number', minimum: 0, maximum: 1 } }),
      metrics: closed({ port: count(1), serviceMonitor: switched, rules: switched, dashboards: switched }),
      migrations: closed({ enabled: flag, deadlineSeconds: count(1), resources: anything }),
      networkPolicy: closed({
        enabled: flag,
        gatewayFrom: list(anything),
        metricsFrom: list(anything),
        consulFrom: list(anything),
        egress: closed(Object.fromEntries(SERVERS.map((server) => [server, egress]))),
        webhooks: closed({ ports: list(count(1)), except: list(text) }),
      }),
      gateway: closed({
        service: closed({ type: text, port: count(1), annotations: labels }),
        httpsSecret: text,
      }),
      drainDelaySeconds: count(0),
      terminationGracePeriodSeconds: count(20),
      podAnnotations: labels,
      nodeSelector: labels,
      tolerations: list(anything),
      runAs: closed({ user: count(1), group: count(1) }),
      defaults: closed(scaling),
      services: closed(Object.fromEntries(services)),
      global: anything,
    }),
  };
}

if (process.argv[1] === import.meta.filename && process.argv.includes('--write')) {
  writeFileSync(schemaFile, `${JSON.stringify(await valuesSchema(), null, 2)}\n`);
}

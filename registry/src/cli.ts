/** Lists the registered instances of each service in Consul, with their health. */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type ConsulConnection, openConsul } from './consul-client.ts';
import { listInstances, listServices, type RegisteredInstance } from './registered-instances.ts';

const USAGE = `Which instances of which service are registered, healthy or not.

  cli.ts [list]                  all services
  cli.ts instances <service>     one service

  --json     the same as JSON
  --help     this text

CONSUL_URL says where Consul is (http://127.0.0.1:8500). For https, CONSUL_CA_FILE is its authority; else those that Node trusts.
CONSUL_TOKEN_FILE is a file with a token that may read services and nodes; CONSUL_TOKEN is the token itself.
Exit code: 0 all instances pass, 1 one does not or the service has none, 2 wrong usage, 3 Consul is unavailable.
`;

const EXIT = { healthy: 0, unhealthy: 1, usage: 2, unreachable: 3 } as const;

interface Command {
  /** All services if absent. */
  service: string | undefined;
  json: boolean;
}

process.exitCode = await main(process.argv.slice(2), process.env);

async function main(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const command = readCommand(args);
  if (command === 'help') {
    process.stdout.write(USAGE);
    return EXIT.healthy;
  }
  if (typeof command === 'string') {
    process.stderr.write(`${command}\n\n${USAGE}`);
    return EXIT.usage;
  }
  const consulUrl = env.CONSUL_URL || 'http://127.0.0.1:8500';
  try {
    const instances = await findInstances(command, connectionOf(consulUrl, env));
    process.stdout.write(
      command.json ? `${JSON.stringify(instances, null, 2)}\n` : report(command, instances),
    );
    const isMissing = command.service !== undefined && instances.length === 0;
    return isMissing || instances.some(({ health }) => health !== 'passing') ? EXIT.unhealthy : EXIT.healthy;
  } catch (error) {
    process.stderr.write(
      `Consul at ${consulUrl} is unavailable: ${reasonOf(error)}\nStart the platform with "make up", or set CONSUL_URL to where Consul is.\n`,
    );
    return EXIT.unreachable;
  }
}

/** The command, or the error in its arguments. */
function readCommand(args: string[]): Command | string {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help) return 'help';
    const [name = 'list', service, ...more] = positionals;
    if (name !== 'list' && name !== 'instances') return `There is no command "${name}".`;
    if (name === 'list' && service !== undefined)
      return `"list" takes no name; for one service: instances ${service}`;
    if (name === 'instances' && service === undefined)
      return 'Of which service? For example: instances payment';
    if (more.length > 0) return `One service at a time; "${more.join(' ')}" is too much.`;
    return { service, json: values.json };
  } catch (error) {
    return reasonOf(error);
  }
}

/** Throws if a file cannot be read. */
function connectionOf(url: string, env: NodeJS.ProcessEnv): ConsulConnection {
  const { CONSUL_CA_FILE: caFile, CONSUL_TOKEN_FILE: tokenFile } = env;
  const token = env.CONSUL_TOKEN || (tokenFile && readFileSync(tokenFile, 'utf8').trim());
  return { url, ...(caFile && { ca: readFileSync(caFile, 'utf8') }), ...(token && { token }) };
}

async function findInstances(
  { service }: Command,
  connection: ConsulConnection,
): Promise<RegisteredInstance[]> {
  const consul = openConsul(connection);
  try {
    const services = service === undefined ? await listServices(consul) : [service];
    return (await Promise.all(services.map((name) => listInstances(consul, name)))).flat();
  } finally {
    consul.destroy();
  }
}

function report({ service }: Command, instances: RegisteredInstance[]): string {
  if (instances.length === 0) {
    return service === undefined
      ? 'No service is registered.\n'
      : `No instance of ${service} is registered.\n`;
  }
  const rows = instances.map(({ service, id, address, health, reason }) => [
    service,
    id,
    address,
    health,
    reason,
  ]);
  return table([['SERVICE', 'INSTANCE', 'ADDRESS', 'HEALTH', ''], ...rows]);
}

function table(rows: string[][]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function reasonOf(error: unknown): string {
  // A name with several addresses fails with an AggregateError, which has an empty message.
  const causes = error instanceof AggregateError ? error.errors : [error];
  return causes.map((cause) => (cause instanceof Error ? cause.message : String(cause))).join('; ');
}

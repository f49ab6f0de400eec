/** Writes supervisor's configuration. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { local, logs } from './paths.ts';

export interface Program {
  readonly name: string;
  readonly command: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** The signal for an orderly end. */
  readonly stopSignal: 'TERM' | 'INT';
  /** True for a background program: with too few cores, programs on the request path run first. */
  readonly isBackground?: boolean;
  /**
   * The supervisor listens here and gives the program the socket as its standard input. While the program restarts, connections wait in
   * the socket's queue, and none is refused. Such a program is a group of its own.
   */
  readonly socket?: { readonly host: string; readonly port: number };
}

/** A group is stopped before all groups with a lower rank. */
export interface Group {
  readonly name: string;
  readonly rank: number;
  readonly programs: readonly Program[];
}

const SOCKET = join(local, 'supervisor/socket');
const GROUPS = join(local, 'supervisor/groups');

/** Marks the platform's processes, so that they are found after their supervisor was killed. */
export const MARK = { name: 'PAYFLOWX_LOCAL', value: local } as const;

export const supervisordConfig = `[supervisord]
directory=${value(local)}
logfile=${value(join(logs, 'supervisor.log'))}
pidfile=${value(join(local, 'supervisor/pid'))}
childlogdir=${value(logs)}
minfds=4096
umask=077
${process.getuid?.() === 0 ? 'user=root' : ''}

[unix_http_server]
file=${value(SOCKET)}
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://${value(SOCKET)}

[include]
files=${value(join(GROUPS, '*.conf'))}
`;

export function groupConfigPath(name: string): string {
  return join(GROUPS, `${name}.conf`);
}

export function groupConfig({ name, rank, programs }: Group): string {
  const [first] = programs;
  if (first?.socket) return socketProgramConfig(first, first.socket, rank);
  const names = programs.map((program) => program.name).join(',');
  return [
    `[group:${name}]\nprograms=${names}\npriority=${rank}\n`,
    ...programs.map((program) => programConfig(program)),
  ].join('\n');
}

/** Suffixes of the two processes of a program with a socket. The holder only keeps the socket open, which closes with its last process. */
export const HOLDER_SUFFIX = '_0';
export const SERVER_SUFFIX = '_1';
const HOLD_OR_SERVE = '[ "$0" = 0 ] && exec sleep infinity; exec "$@"';

/** Supervisor runs a program with a socket as a FastCGI program. */
function socketProgramConfig(program: Program, { host, port }: { host: string; port: number }, rank: number) {
  const command = ['/bin/sh', '-c', HOLD_OR_SERVE, PROCESS_NUMBER, ...program.command];
  return `${programConfig({ ...program, command }, 'fcgi-program')}priority=${rank}
socket=tcp://${host}:${port}
numprocs=2
process_name=%(program_name)s_%(process_num)d
`;
}

/** Stands for supervisor's own expansion, which must not be quoted. */
const PROCESS_NUMBER = '\0process number\0';

/**
 * A program counts as started after three seconds. One that ends sooner is retried after 1, 2, 3 … seconds; one that ends later,
 * at once. Retries have no limit, because a server that it needs may take long to restart.
 */
function programConfig(
  { name, command, folder, env, stopSignal, isBackground }: Program,
  kind: 'program' | 'fcgi-program' = 'program',
): string {
  const words = isBackground ? ['nice', '-n', '4', ...command] : command;
  const variables = Object.entries({ ...env, [MARK.name]: MARK.value });
  return `[${kind}:${name}]
command=${value(words.map(quote).join(' ')).replace(PROCESS_NUMBER, '%(process_num)d')}
directory=${value(folder)}
environment=${value(variables.map(([key, text]) => `${key}=${quote(text)}`).join(','))}
autorestart=true
startsecs=3
startretries=100000
stopsignal=${stopSignal}
stopwaitsecs=20
killasgroup=true
redirect_stderr=true
stdout_logfile=${value(join(logs, `${name}.log`))}
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=1
`;
}

/**
 * A variable with the fingerprint of a program's files. Supervisor restarts programs whose configuration has changed, so it
 * restarts them for changed files too.
 */
export function fingerprint(contents: string): Record<string, string> {
  return { PAYFLOWX_FINGERPRINT: createHash('sha256').update(contents).digest('hex').slice(0, 16) };
}

/** Supervisor expands %(…)s in every value. */
function value(text: string): string {
  return text.replaceAll('%', '%%');
}

/** Supervisor splits commands and environments as a shell does. */
function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Reports taken ports with the program that holds each, before a server fails because of it. */
import { setTimeout as pause } from 'node:timers/promises';
import { Failure, together } from './failure.ts';
import { say } from './progress.ts';
import { RESERVED_AT, tryToListen } from './reserved-ports.ts';
import { capture } from './run.ts';

export interface Claim {
  readonly name: string;
  readonly port: number;
}

/**
 * gRPC's usual ports are in the range for outgoing connections, so one may be in use for a while without a listener. Linux keeps
 * the port of a closed connection for another minute (TIME_WAIT).
 */
const PASSING_MS = 75_000;
const RETRY_EVERY_MS = 500;

/** Throws for every port that another program listens on, or that does not get free in time. */
export async function requireFreePorts(claims: Claim[]): Promise<void> {
  await together(
    claims.map(async ({ name, port }) => {
      if (await isFreeSoon(name, port)) return;
      const variable = `PAYFLOWX_PORT_${name.toUpperCase()}`;
      throw new Failure(
        `Port ${port} (${name}) is taken by ${(await listenerOn(port)) ?? 'another program'}.`,
        `Stop that program, or choose another port: ${variable}=… for this one, PAYFLOWX_PORT_OFFSET=100 for all.`,
      );
    }),
  );
}

async function isFreeSoon(name: string, port: number): Promise<boolean> {
  const until = Date.now() + PASSING_MS;
  for (let hasSaid = false; !(await isFree(port)); hasSaid = true) {
    if (Date.now() > until || (await listenerOn(port))) return false;
    if (!hasSaid)
      say('ports', `waiting for ${port} (${name}): a connection keeps it until a minute after its end`);
    await pause(RETRY_EVERY_MS);
  }
  return true;
}

async function isFree(port: number): Promise<boolean> {
  const probe = await tryToListen(port, '127.0.0.1');
  if (!probe) return false;
  await new Promise((resolve) => probe.close(resolve));
  return true;
}

/**
 * Undefined if the port is only reserved, or nothing is known about its listener. The name of another user's program is not
 * readable.
 */
async function listenerOn(port: number): Promise<string | undefined> {
  const { code, output } = await capture(['ss', '-Hltnp', `sport = :${port} and not src ${RESERVED_AT}`]);
  if (code !== 0 || output.trim() === '') return undefined;
  const [, name, pid] = /\(\("([^"]+)",pid=(\d+)/.exec(output) ?? [];
  return name ? `${name} (pid ${pid})` : 'another program';
}

/** Says which ports are taken, and by whom, before a server fails over it in its log. */
import { createServer } from 'node:net';
import { Failure, together } from './failure.ts';
import { capture } from './run.ts';

export interface Claim {
  readonly name: string;
  readonly port: number;
}

/** Throws for every port of these that another program listens on. */
export async function requireFreePorts(claims: Claim[]): Promise<void> {
  await together(
    claims.map(async ({ name, port }) => {
      if (await isFree(port)) return;
      const variable = `PAYFLOWX_PORT_${name.toUpperCase()}`;
      throw new Failure(
        `Port ${port} (${name}) is taken by ${await holderOf(port)}.`,
        `Stop that program, or choose another port: ${variable}=… for this one, PAYFLOWX_PORT_OFFSET=100 for all.`,
      );
    }),
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

async function holderOf(port: number): Promise<string> {
  const { output } = await capture(['ss', '-Hltnp', `sport = :${port}`]);
  const [, name, pid] = /\(\("([^"]+)",pid=(\d+)/.exec(output) ?? [];
  return name ? `${name} (pid ${pid})` : 'another program';
}

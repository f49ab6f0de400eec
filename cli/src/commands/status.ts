/** The state of the platform in one look. */
import { type PayFlowX, PayFlowXError } from '@payflowx/client';
import type { Command } from 'commander';
import { act } from '../environment.ts';
import { BadResult } from '../exit.ts';

export function statusCommand(program: Command): void {
  program
    .command('status')
    .description('show whether the platform is ready, and the instances of each service')
    .action(
      act(async ({ api, output }) => {
        const problem = await readinessProblem(api);
        const { data: found } = await api.get('/v1/services');
        const rows = found.data.flatMap(({ name, instances }) =>
          instances.map((instance) => ({ service: name, ...instance })),
        );
        output.rows(rows, [
          ['service', ({ service }) => service],
          ['instance', ({ id }) => id],
          ['address', ({ address }) => address],
          ['health', ({ health }) => health],
          ['', ({ reason }) => reason],
        ]);
        if (found.registry === 'none') output.say('The platform runs without a registry.');
        output.say(problem ?? 'The platform is ready.');
        if (problem !== undefined || rows.some(({ health }) => health !== 'passing'))
          throw new BadResult(problem ?? 'Some instances do not pass their health checks.');
      }),
    );
}

/** Undefined if the platform is ready. */
async function readinessProblem(api: PayFlowX) {
  try {
    await api.get('/readyz', { retryTimeoutMs: 0 });
    return undefined;
  } catch (error) {
    if (error instanceof PayFlowXError && error.code === 'NOT_READY')
      return error.problem.detail ?? 'The platform is not ready.';
    throw error;
  }
}

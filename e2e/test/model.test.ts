import fc from 'fast-check';
import { it } from 'vitest';
import { audit } from '../src/model/audit.ts';
import { play } from '../src/model/play.ts';
import { type Played, summaryOf } from '../src/model/played.ts';
import { type Program, programOf } from '../src/model/program.ts';
import { eventually, gatewaysOf, people, readDemo } from '../src/platform.ts';
import { crash } from '../src/processes.ts';
import { restClient } from '../src/rest.ts';

/** `SEED=… npx vitest run test/model.test.ts` repeats the same programs. */
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const who = people();

/** A failing program is made smaller while there is time. Then the smallest is printed, with its seed. */
async function check(
  programs: fc.Arbitrary<Program>,
  property: (program: Program) => Promise<void>,
  { runs, limitMs }: { runs: number; limitMs: number },
): Promise<void> {
  // Unbiased. Small programs are only wanted after a failure.
  await fc.assert(fc.asyncProperty(programs, property), {
    ...{ seed, numRuns: runs, unbiased: true },
    ...{ interruptAfterTimeLimit: limitMs, markInterruptAsFailure: false },
  });
}

async function auditAndReport(played: Played): Promise<void> {
  await audit(who, played);
  console.log(`SEED=${seed}: ${summaryOf(played)}`);
}

it('agrees with the model, for any requests of 16 concurrent clients', { timeout: 240_000 }, async () => {
  const property = async (program: Program) => auditAndReport(await play(who, program));
  await check(programOf(16, 40), property, { runs: 2, limitMs: 60_000 });
});

it('agrees with the model while processes are killed', { timeout: 240_000 }, async () => {
  const property = async (program: Program) => {
    const over = new AbortController();
    const killed = killAtRandom(over.signal);
    const played = await play(who, program).finally(() => over.abort());
    console.log(`killed ${(await killed).join(', ')}`);
    await auditAndReport(played);
  };
  await check(programOf(16, 40), property, { runs: 1, limitMs: 150_000 });
});

/** Processes on the request path are killed more often. */
const SERVICES = ['payment', 'payment', 'authorization', 'authorization', 'gateway', 'auth'];
const CONSUMERS = ['ledger', 'notification', 'analytics'];
const PROCESSES = [...SERVICES, ...CONSUMERS].flatMap((service) => [service, `${service}-2`]);

/**
 * Kills one process after the other, each as soon as the platform is ready; otherwise a slow machine would never be ready. The
 * choice is not part of the seed, because the timing of a kill cannot be repeated.
 */
async function killAtRandom(signal: AbortSignal): Promise<string[]> {
  const killed: string[] = [];
  while (!signal.aborted) {
    await eventually(() => Promise.any(gatewaysOf(readDemo()).map(expectReady)));
    const name = PROCESSES[Math.floor(Math.random() * PROCESSES.length)] as string;
    await crash(name);
    killed.push(name);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return killed;
}

async function expectReady(gateway: string): Promise<void> {
  const { status } = await restClient(gateway).get('/readyz');
  if (status !== 200) throw new Error(`${gateway} is not ready`);
}

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { audit } from '../src/model/audit.ts';
import { play } from '../src/model/play.ts';
import { programOf } from '../src/model/program.ts';
import { people } from '../src/platform.ts';

/** `SEED=… npx vitest run test/model.test.ts` plays the same programs again. */
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

it('does what the model says, whatever 16 clients do side by side', async () => {
  const who = people();
  console.log(`SEED=${seed}`);
  await fc.assert(
    fc.asyncProperty(programOf(16, 24), async (program) => {
      await audit(who, await play(who, program));
    }),
    { seed, numRuns: 5, interruptAfterTimeLimit: 40_000, markInterruptAsFailure: false },
  );
  expect.assertions(0);
});

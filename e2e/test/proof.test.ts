/** The proof of the ledger while money moves. */
import { expect, it } from 'vitest';
import { people, provenLedger } from '../src/platform.ts';
import { payAll, prepare } from '../src/workload.ts';

const who = people();
const PROOFS = 5;

it('is never broken by traffic, and holds when the traffic ends', { timeout: 240_000 }, async () => {
  let isOver = false;
  const traffic = (async () => {
    while (!isOver) await payAll(who, await prepare(who, 20));
  })();
  const verdicts: string[] = [];
  try {
    for (let n = 0; n < PROOFS; n += 1) {
      const { data: proof } = await who.auditor.api.get('/v1/ledger/proof');
      expect(proof.holds).toBe(proof.verdict === 'holds');
      expect(proof.differences.filter(({ settled }) => settled)).toEqual([]);
      verdicts.push(proof.verdict);
    }
  } finally {
    isOver = true;
    await traffic;
  }
  expect(verdicts).not.toContain('broken');
  expect((await provenLedger(who.operator)).verdict).toBe('holds');
  const { data: pipeline } = await who.auditor.api.get('/v1/pipeline');
  expect(pipeline.incomplete).toEqual([]);
  expect(pipeline.last_proof?.verdict).toBe('holds');
  expect(pipeline.stages.map(({ service, activity }) => `${service} ${activity}`)).toEqual(
    expect.arrayContaining([
      'payment publish',
      'ledger consume',
      'analytics consume',
      'notification consume',
    ]),
  );
  expect(pipeline.stages.every(({ waiting }) => waiting !== null)).toBe(true);
});

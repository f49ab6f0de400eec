/** The last proof of this process, for the metrics. */
import { gauges } from '@payflowx/chassis';
import type { Verdict } from '../domain/proof.ts';
import type { Proof } from './prove-ledger.ts';

const VERDICTS: readonly Verdict[] = ['holds', 'unsettled', 'broken'];

export interface ProofWatch {
  note(proof: Proof): void;
}

/** Before the first proof there are no figures. */
export function watchProofs(): ProofWatch {
  let last: Proof | undefined;
  gauges(
    {
      'payflowx.ledger.proof.timestamp': {
        description: 'The time of the last proof, in seconds since 1970',
        unit: 's',
      },
      'payflowx.ledger.proof.verdict': {
        description: '1 for the verdict of the last proof, 0 for the others',
      },
    },
    () => {
      if (last === undefined) return [];
      const { verdict } = last;
      return [
        { name: 'payflowx.ledger.proof.timestamp' as const, value: last.provedAt.getTime() / 1_000 },
        ...VERDICTS.map((each) => ({
          name: 'payflowx.ledger.proof.verdict' as const,
          value: each === verdict ? 1 : 0,
          labels: { verdict: each },
        })),
      ];
    },
  );
  return {
    note(proof) {
      last = proof;
    },
  };
}

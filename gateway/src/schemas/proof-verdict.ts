/** The verdict of a proof of the ledger. */
import { ProofVerdict } from '@payflowx/proto/ledger';
import { wireNames } from './wire-names.ts';

export const PROOF_VERDICTS = wireNames(
  '`holds`: all checks pass. `unsettled`: accounts differ, and events about them may be on their way; prove again later. `broken`: the journal contradicts itself or its seal, or an account still differs after every event about it was applied.',
  {
    [ProofVerdict.HOLDS]: 'holds',
    [ProofVerdict.UNSETTLED]: 'unsettled',
    [ProofVerdict.BROKEN]: 'broken',
  },
);

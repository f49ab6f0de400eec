/** The measured workloads. In each, 1 % of the payments is declined, and 1 % of the keys is reused. */
import type { Workload } from './load/traffic.ts';

export const UNIFORM: Workload = { name: 'uniform', pairing: 'uniform' };
export const INTO_ONE: Workload = { name: 'all into one', pairing: 'into-one' };

/** The workloads beside the main figure, once each. */
export const OTHERS: readonly Workload[] = [
  { name: 'zipf 1.0', pairing: 'zipf' },
  { name: 'all out of one', pairing: 'out-of-one' },
  { name: 'authorize, then 80/10/10', pairing: 'uniform', lifecycle: true },
  { name: 'half reads', pairing: 'uniform', reads: true },
];

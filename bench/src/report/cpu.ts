/** CPU for each settled payment, in milliseconds, of groups of processes. */
import type { RunResult } from '../measured-run.ts';
import { SERVICES } from '../services.ts';

type Cpu = Pick<RunResult, 'cpuMsPerPayment'>;

/** The bench itself. */
const OWN = ['generator', 'probes'];

/** Of services, brokers and databases. */
export function cpuOfPlatform({ cpuMsPerPayment }: Cpu): number {
  const platform = Object.entries(cpuMsPerPayment).filter(([name]) => !OWN.includes(name));
  return platform.reduce((sum, [, ms]) => sum + ms, 0);
}

/** Of the seven services. NaN if one is missing. */
export function cpuOfServices({ cpuMsPerPayment }: Cpu): number {
  return SERVICES.reduce((sum, service) => sum + (cpuMsPerPayment[service] ?? Number.NaN), 0);
}

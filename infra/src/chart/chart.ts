/** `make chart`: lints the Helm chart, and tests what it renders. No cluster is needed. */
import { join } from 'node:path';
import { runSuite } from '../checks/suite.ts';
import type { Tally } from '../checks/tally.ts';
import { root } from '../paths.ts';
import { step } from '../progress.ts';
import { SOURCES } from '../services.ts';
import { installHelm } from './helm.ts';

export async function testChart(): Promise<Tally> {
  let helm = '';
  await step('helm', async (note) => {
    helm = await installHelm(note);
    return helm;
  });
  const env = { ...process.env, HELM: helm, NODE_OPTIONS: SOURCES };
  return runSuite('chart', join(root, 'infra'), env, ['--config=vitest.chart.config.ts']);
}

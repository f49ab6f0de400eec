/** Payment's command that publishes past events again. */
import { runIn } from './processes.ts';

/** Without `--run` it only counts. Returns its last line, such as `12 events of 5 payments published again`. */
export const republish = (...options: string[]) => runIn('payment', 'node', 'src/republish.ts', ...options);

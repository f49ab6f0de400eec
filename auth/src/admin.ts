/** The operator's command: `node src/admin.ts ensure < identities.json`. */
import { text } from 'node:stream/consumers';
import { runAdminCommand } from './admin-command.ts';

const result = await runAdminCommand({
  args: process.argv.slice(2),
  readInput: () => text(process.stdin),
  env: process.env,
});
if ('output' in result) process.stdout.write(result.output);
else {
  console.error(result.problem);
  process.exitCode = 1;
}

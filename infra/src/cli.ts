/** The commands behind the Makefile: `node infra/src/cli.ts <command>`. */
import { explain } from './failure.ts';
import { buildConsul } from './servers/consul-build.ts';
import { openSecrets } from './secrets.ts';
import { loadSettings } from './settings.ts';
import { startSupervisor } from './supervisor.ts';
import { startServers } from './servers/start.ts';

const COMMANDS: Record<string, (...args: string[]) => Promise<void>> = {
  'build-consul': buildConsul,
  async servers() {
    await startServers(loadSettings(process.env), openSecrets(), startSupervisor(console.log));
  },
};

const [name = '', ...args] = process.argv.slice(2);
try {
  await COMMANDS[name]?.(...args);
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}

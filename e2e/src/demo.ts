/** `make demo`: plays the story on the running platform, and exits non-zero if any step differs from the expected result. */
import { spawnSync } from 'node:child_process';
import { mail } from './mail-story.ts';
import { people, readDemo } from './platform.ts';
import { chapter, fact } from './print.ts';
import { rpcAddress } from './rpc.ts';
import {
  addUp,
  cancel,
  captureInParts,
  followThrough,
  openAccounts,
  payOnce,
  payTooMuch,
  prove,
  race,
  receiveWebhook,
  refund,
  verify,
} from './story.ts';

try {
  const startedAt = Date.now();
  const cast = people();
  const accounts = await openAccounts(cast);
  const payment = await payOnce(cast, accounts);
  await payTooMuch(cast, accounts);
  const captured = await captureInParts(cast, accounts);
  await cancel(cast, accounts);
  await refund(cast, accounts, payment);
  await race(cast, accounts);
  await followThrough(cast, captured);
  await verify(cast, captured);
  await addUp(cast, accounts);
  await mail(cast, accounts);
  await receiveWebhook(cast, accounts);
  showRegistry();
  await prove(cast);
  console.log(
    `\nThe story is complete, and every step had the expected result (${((Date.now() - startedAt) / 1000).toFixed(1)} s).`,
  );
  sayWhatNext(accounts.from.id);
} catch (error) {
  console.error(`\nThe story failed: ${error instanceof Error ? error.message : error}`);
  console.error('Logs of the services: make logs. Processes: make status.');
  process.exitCode = 1;
}

/** Without Consul the platform uses fixed addresses. That is worth printing, but no failure. */
function showRegistry(): void {
  chapter("Consul's view of the services");
  if (process.env.TEST_CONSUL_URL === '') {
    fact('not there yet', 'the services know each other by fixed addresses; the next start uses Consul');
    return;
  }
  const cli = new URL('../../registry/src/cli.ts', import.meta.url).pathname;
  const { stdout, stderr } = spawnSync(process.execPath, ['--conditions=payflowx-source', cli, 'list'], {
    encoding: 'utf8',
    env: { ...process.env, ...consulVariables() },
  });
  for (const line of (stdout || stderr).trimEnd().split('\n')) console.log(`   ${line}`);
}

/** The variables of the registry's command. */
function consulVariables(): NodeJS.ProcessEnv {
  const { TEST_CONSUL_URL, TEST_CONSUL_CA_FILE, TEST_CONSUL_TOKEN } = process.env;
  return {
    CONSUL_URL: TEST_CONSUL_URL,
    CONSUL_CA_FILE: TEST_CONSUL_CA_FILE,
    CONSUL_TOKEN: TEST_CONSUL_TOKEN,
  };
}

function sayWhatNext(accountId: string): void {
  const { gateway } = readDemo();
  console.log(`
The platform keeps running. Try it:

  # Log in (users and passwords are in .local/demo.json) and look at Alice's account.
  PASSWORD=$(node -p "require('./.local/demo.json').users.find(u => u.username === 'alice').password")
  TOKEN=$(curl -s ${gateway}/v1/auth/login -H 'content-type: application/json' \\
    -d "{\\"username\\":\\"alice\\",\\"password\\":\\"$PASSWORD\\"}" | node -p "JSON.parse(require('fs').readFileSync(0)).access_token")
  curl -s ${gateway}/v1/accounts/${accountId} -H "authorization: Bearer $TOKEN"

  # The same by gRPC, as operators do.
  grpcurl -insecure -H "authorization: Bearer $TOKEN" -d '{"account_id":"${accountId}"}' \\
    ${rpcAddress(50_052)} payflowx.authorization.v1.AccountService/GetAccount

  List the processes: make status    Stop everything: make down

Console:  ${gateway}/console   user operator, password: node -p "require('./.local/demo.json').users[0].password"
Command:  node_modules/.bin/payflowx login --gateway ${gateway} --user operator && node_modules/.bin/payflowx status
Docs:     docs/ by reader, and the API at ${gateway}/docs`);
}

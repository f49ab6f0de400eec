/**
 * `make test-upgrade`: tests that the services of an earlier version run on the tables of this one, as they do between the migration
 * and the restart of the last instance. Unpacks the earlier version elsewhere, replaces its migrations by those of this checkout,
 * and runs its own tests of the services.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Failure } from '../failure.ts';
import { root } from '../paths.ts';
import { exclusively, upServers } from '../platform.ts';
import { say, step } from '../progress.ts';
import { DATABASES } from '../provision/postgres.ts';
import { capture, logged } from '../run.ts';
import type { Secrets } from '../secrets.ts';
import { testEnvironment } from '../servers/start.ts';
import { SOURCES } from '../services.ts';
import type { Settings } from '../settings.ts';
import { sideBySide } from './side-by-side.ts';
import { runSuite } from './suite.ts';
import { type Tally, total } from './tally.ts';

/** Tests of the earlier version that assert what this version changes on purpose, with the reason. Emptied at each release. */
const CHANGED_ON_PURPOSE: Record<string, string> = {
  'analytics: counting payments refuses the serving role: delete from inbox':
    'The purge deletes from the inbox.',
  ...Object.fromEntries(
    [
      'ledger: every event is posted once and sealed, and the service lives on',
      'ledger: has posted each event once after kills before and after its commits',
      'ledger: the consumer changes nothing when its group reads the topic from the beginning',
      'ledger: the consumer continues with other payments and partitions while a balance is locked, then posts the locked payment in order',
      'ledger: the consumer makes the same ledger in an empty database',
      'ledger: the consumer posts each event once, for any number of deliveries',
      'ledger: the consumer sends events that it cannot post to the dead-letter topic, with the reason, and continues',
      'ledger: the consumer shares the partitions with a second instance',
      'ledger: the rebuild command exits with 1 if it passed over an event, and with 0 otherwise',
      'analytics: every event is counted once, and the service lives on',
      'analytics: has counted each event once after kills before and after its commits',
      'analytics: the consumer changes nothing when its group reads the topic from the beginning',
      'analytics: the consumer counts each payment once, for any number of deliveries, and no deposits',
      'analytics: the consumer rebuilds the same totals from empty tables, while the service continues counting',
      'analytics: the consumer sends events that it cannot count to the dead-letter topic, with the reason, and continues',
      'analytics: the rebuild command exits with 1 if it passed over an event, and with 0 otherwise',
      'payment: events of a payment reach the topic and the queue, once each, as CloudEvents',
    ].map((test) => [test, 'Kafka needs TLS and a login, which the earlier version does not know.']),
  ),
};

/** The step that migrates is always that of the newer version. */
const MIGRATION_STEP = 'chassis/src/postgres/migrations.ts';

/** `from` is a tag or commit. Default: the newest tag, or the first parent of the present commit if there is none. */
export async function testUpgrade(
  from: string | undefined,
  settings: Settings,
  secret: Secrets,
): Promise<Tally> {
  const commit = await commitOf(from || (await newestTag()) || 'HEAD^1');
  const addresses = await exclusively(() => upServers(settings, secret));
  const servers = await testEnvironment(addresses);
  const place = await mkdtemp(join(tmpdir(), 'payflowx-upgrade-'));
  try {
    await step('upgrade', async (note) => {
      note(`${commit}: unpacking, installing, generating`);
      await unpack(commit, place);
      return `${commit} has the migrations of this checkout`;
    });
    const path = `${join(place, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;
    // An earlier version does not know the setting for RabbitMQ's authority.
    const trust = { NODE_EXTRA_CA_CERTS: servers.TEST_RABBITMQ_CA_FILE };
    const env = { ...process.env, ...servers, ...trust, PATH: path, NODE_OPTIONS: SOURCES };
    const tallies = await sideBySide(2, DATABASES, (service) => runSuite(service, join(place, service), env));
    return withoutExpected(total(tallies));
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function commitOf(ref: string): Promise<string> {
  const { code, output } = await capture(['git', 'rev-parse', '--short', '--verify', `${ref}^{commit}`], {
    cwd: root,
  });
  if (code === 0) return output.trim();
  throw new Failure(`${ref} is not in this clone.`, 'Fetch it: git fetch --unshallow --tags');
}

async function newestTag(): Promise<string | undefined> {
  const { code, output } = await capture(['git', 'describe', '--tags', '--abbrev=0', 'HEAD'], { cwd: root });
  return code === 0 ? output.trim() : undefined;
}

async function unpack(commit: string, place: string): Promise<void> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const archive = ['sh', '-c', `git archive ${commit} | tar -x -C '${place}'`];
  await logged('upgrade-unpack', archive, 'Git could not write the archive.', { cwd: root });
  await logged('upgrade-setup', ['make', 'setup'], 'The earlier version cannot be set up.', {
    cwd: place,
    env,
  });
  for (const service of DATABASES) {
    await rm(join(place, service, 'migrations'), { recursive: true });
    await cp(join(root, service, 'migrations'), join(place, service, 'migrations'), { recursive: true });
  }
  await cp(join(root, MIGRATION_STEP), join(place, MIGRATION_STEP));
}

function withoutExpected({ passed, failures }: Tally): Tally {
  for (const failure of failures.filter((each) => each in CHANGED_ON_PURPOSE))
    say('upgrade', `${failure}: ${CHANGED_ON_PURPOSE[failure]}`, '·');
  return { passed, failures: failures.filter((failure) => !(failure in CHANGED_ON_PURPOSE)) };
}

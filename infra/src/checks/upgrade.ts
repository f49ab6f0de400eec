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
import { pairwise } from './pairwise.ts';
import { runSuite } from './suite.ts';
import { type Tally, total } from './tally.ts';

/** Tests of the earlier version that assert what this version changes on purpose, with the reason. Emptied at each release. */
const CHANGED_ON_PURPOSE: Record<string, string> = {
  'analytics: counting payments refuses the serving role: delete from inbox':
    'The purge deletes from the inbox.',
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
    const env = { ...process.env, ...servers, PATH: path, NODE_OPTIONS: SOURCES };
    const tallies = await pairwise(DATABASES, (service) => runSuite(service, join(place, service), env));
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

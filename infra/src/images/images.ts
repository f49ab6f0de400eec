/** `make images`: builds an image of each service and of the command, and sees each one start. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { root } from '../paths.ts';
import { step } from '../progress.ts';
import { capture } from '../run.ts';
import { loadSettings } from '../settings.ts';
import { ensureBase } from './base.ts';
import { IMAGE_NAMES, type ImageName, prepareContext } from './context.ts';
import { type Engine, requireEngine } from './engine.ts';

const MAX_MB = 250;

export async function buildImages(only: string | undefined): Promise<void> {
  const names = IMAGE_NAMES.filter((name) => only === undefined || only === name);
  if (names.length === 0)
    throw new Failure(`There is no image '${only}'.`, `Choose: ${IMAGE_NAMES.join(', ')}.`);
  const engine = await requireEngine();
  let base = '';
  await step('base', async (note) => {
    base = await ensureBase(engine, note);
    return base;
  });
  for (const name of names)
    await step(name, async () => {
      const image = await build(engine, base, name);
      await seeStart(engine, image, name);
      return `${image}: ${await sizeOf(engine, image)} MB; it starts`;
    });
}

async function build(engine: Engine, base: string, name: ImageName): Promise<string> {
  const context = await prepareContext(name);
  const { version } = JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8'));
  const { output: revision } = await capture(['git', 'rev-parse', 'HEAD'], { cwd: root });
  const image = `localhost/payflowx-${name}:${version}`;
  const values: Record<string, string> = {
    ...{ BASE: base, NAME: name, VERSION: version, REVISION: revision.trim() },
    ...(name !== 'cli' && { PORT: String(loadSettings({}).ports[name]) }),
  };
  const args = Object.entries(values).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  const { code, output } = await engine.run([
    'build',
    // OCI's own format has no health check.
    ...(engine.name === 'podman' ? ['--format', 'docker'] : []),
    ...['--network', 'none'],
    ...['--target', name === 'cli' ? 'cli' : 'service', '--tag', image, ...args],
    ...['--file', join(root, 'deploy/images/Dockerfile'), context],
  ]);
  if (code === 0) return image;
  throw new Failure(
    `The image of ${name} was not built:\n${output.slice(-2_000)}`,
    'See the message of the engine.',
  );
}

/** Without settings, a service prints those that are missing. The command prints its help. */
async function seeStart(engine: Engine, image: string, name: ImageName): Promise<void> {
  const args = name === 'cli' ? ['--help'] : [];
  const isolated = ['run', '--rm', '--network', 'none', '--read-only', '--cap-drop', 'all'];
  const { output } = await engine.run([...isolated, image, ...args]);
  const expected =
    name === 'cli' ? 'Usage: payflowx' : name === 'gateway' ? 'TLS_CERT_FILE' : 'PAGE_TOKEN_KEY is missing';
  if (output.includes(expected)) return;
  throw new Failure(`${image} does not start:\n${output.slice(-2_000)}`, `${engine.name} run ${image}`);
}

async function sizeOf(engine: Engine, image: string): Promise<number> {
  const { output } = await engine.run(['image', 'inspect', '--format', '{{.Size}}', image]);
  const size = Math.round(Number(output.trim()) / 1_000_000);
  if (size <= MAX_MB) return size;
  throw new Failure(`${image} has ${size} MB.`, `At most ${MAX_MB} MB: see what its build context contains.`);
}

/** `make sbom`: writes the bill of materials of each of our packages to `.local/sbom`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../failure.ts';
import { local, root } from '../../paths.ts';
import { say } from '../../progress.ts';
import { packagesWith } from '../packages.ts';
import { billOfMaterials } from './bill-of-materials.ts';
import { readLock } from './lock.ts';

const FOLDER = join(local, 'sbom');

/** Of all packages, or of one. */
export async function writeBills(name?: string): Promise<void> {
  const all = packagesWith('package.json');
  if (name && !all.includes(name))
    throw new Failure(`There is no package '${name}'.`, `Choose one of: ${all.join(', ')}.`);
  await mkdir(FOLDER, { recursive: true });
  const lock = readLock(root);
  for (const folder of name ? [name] : all) {
    const path = join(FOLDER, `${folder}.cdx.json`);
    await writeFile(path, billOfMaterials(lock, folder));
    say('sbom', path, '✓');
  }
}

/** Removes files of packages that no program reads: source maps, types, and pages. Licences stay. Runs while an image is built. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const UNREAD = /\.(map|d\.[cm]?ts|md|markdown)$/i;
const LICENCE = /^(licen[cs]e|notice|copying)/i;

const folder = join(process.argv[2] ?? '', 'node_modules');
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (entry.isFile() && UNREAD.test(entry.name) && !LICENCE.test(entry.name))
    rmSync(join(entry.parentPath, entry.name));
}

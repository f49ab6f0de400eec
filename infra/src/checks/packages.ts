/** The workspaces, read from the root package.json. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.ts';

const { workspaces }: { workspaces: string[] } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The folders of all workspaces that have this file. */
export function packagesWith(file: string): string[] {
  return workspaces.filter((folder) => existsSync(join(root, folder, file)));
}

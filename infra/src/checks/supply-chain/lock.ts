/** The packages in package-lock.json: https://docs.npmjs.com/cli/configuring-npm/package-lock-json#packages */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Locked {
  /** The name of one of our own packages. */
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  /** A hash of the archive, such as `sha512-…` in base64. Our own packages have none. */
  readonly integrity?: string;
  /** True for a link to one of our own packages. `resolved` is its folder. */
  readonly link?: boolean;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  /** By folder. */
  readonly packages: Readonly<Record<string, Locked>>;
}

/** A package that another one needs when it runs. */
export interface RuntimePackage {
  /** Such as `payment` or `node_modules/pg`. */
  readonly folder: string;
  readonly name: string;
  readonly locked: Locked;
  /** The folders of what it needs itself. */
  readonly needs: readonly string[];
}

const MODULES = 'node_modules/';

export function readLock(folder: string): Lock {
  return JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
}

/** The folders of our own packages. */
export function ownFolders({ packages }: Lock): string[] {
  return Object.keys(packages).filter((folder) => folder !== '' && !folder.includes(MODULES));
}

/** Returns the packages in `folders` and all that they need when they run, by folder. Packages for other machines are there too. */
export function runtimeOf(lock: Lock, folders: readonly string[]): Map<string, RuntimePackage> {
  const found = new Map<string, RuntimePackage>();
  const pending = [...folders];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    if (found.has(folder)) continue;
    const locked = lock.packages[folder] ?? {};
    const needs = neededNames(locked).flatMap((name) => folderOf(lock, name, folder) ?? []);
    found.set(folder, { folder, name: locked.name ?? nameOf(folder), locked, needs });
    pending.push(...needs);
  }
  return found;
}

/** A peer dependency is optional if it is not in the lock file. */
function neededNames({ dependencies, optionalDependencies, peerDependencies }: Locked): string[] {
  return [
    ...new Set(
      [dependencies, optionalDependencies, peerDependencies].flatMap((each) => Object.keys(each ?? {})),
    ),
  ];
}

/** Finds the package as Node does: in the nearest node_modules. */
function folderOf({ packages }: Lock, name: string, from: string): string | undefined {
  for (let folder: string | undefined = from; folder !== undefined; folder = parentOf(folder)) {
    const path = `${folder === '' ? '' : `${folder}/`}${MODULES}${name}`;
    const locked = packages[path];
    if (locked) return locked.link ? locked.resolved : path;
  }
  return undefined;
}

/** `a/node_modules/b` is in `a`. The root is ''. */
function parentOf(folder: string): string | undefined {
  if (folder === '') return undefined;
  const start = folder.lastIndexOf(MODULES);
  return start <= 0 ? '' : folder.slice(0, start - 1);
}

function nameOf(folder: string): string {
  return folder.slice(folder.lastIndexOf(MODULES) + MODULES.length);
}

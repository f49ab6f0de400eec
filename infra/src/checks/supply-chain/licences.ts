/**
 * Fails for each runtime dependency whose licence is not on the list in `allowed.ts`. It reads package-lock.json, so it also sees the
 * optional packages of other machines.
 */
import satisfies from 'spdx-satisfies';
import { root } from '../../paths.ts';
import { ALLOWED_LICENCES, LICENCES_BY_HAND } from './allowed.ts';
import { type Lock, ownFolders, type RuntimePackage, readLock, runtimeOf } from './lock.ts';

export interface Rules {
  readonly allowed: readonly string[];
  /** By name and version. */
  readonly byHand: Readonly<Record<string, string>>;
}

/** The licence that the package names, or that we found in its files. */
export function licenceOf({ name, locked }: RuntimePackage, byHand: Rules['byHand'] = LICENCES_BY_HAND) {
  return byHand[`${name}@${locked.version}`] ?? locked.license;
}

/**
 * Returns one line for each runtime dependency of the packages in `folders`, direct or not, without an allowed licence. Also for an entry
 * of `byHand` that is not needed.
 */
export function licenceProblems(
  lock: Lock,
  folders: readonly string[],
  { allowed, byHand }: Rules,
): string[] {
  const runtime = [...runtimeOf(lock, folders).values()];
  const refused = runtime.flatMap((each) => {
    const licence = licenceOf(each, byHand);
    const label = `${each.name}@${each.locked.version} (${each.folder})`;
    if (licence === undefined) return `${label} names no licence`;
    return isAllowed(licence, allowed) ? [] : `${label} has the licence ${licence}`;
  });
  const known = new Set(runtime.map(({ name, locked }) => `${name}@${locked.version}`));
  const unneeded = Object.keys(byHand).filter((label) => !known.has(label));
  return [...refused, ...unneeded.map((label) => `LICENCES_BY_HAND has ${label}, which is no dependency`)];
}

/** False for an expression that is not SPDX, such as `SEE LICENSE IN …`. */
function isAllowed(licence: string, allowed: readonly string[]): boolean {
  try {
    return satisfies(licence, [...allowed]);
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const lock = readLock(process.argv[2] ?? root);
  const rules = { allowed: ALLOWED_LICENCES, byHand: process.argv[2] ? {} : LICENCES_BY_HAND };
  const problems = licenceProblems(lock, ownFolders(lock), rules);
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) process.exitCode = 1;
}

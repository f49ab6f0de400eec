/**
 * Fails for each known vulnerability of a runtime dependency. `npm audit` asks the registry. If the registry cannot be asked, the check
 * is skipped: it prints a line that begins with SKIPPED.
 */
import { root } from '../../paths.ts';
import { capture } from '../../run.ts';
import { SKIPPED } from '../skipped.ts';
import { ACCEPTED_ADVISORIES } from './allowed.ts';

/** An offline machine must not wait long for a check. */
const LIMIT_MS = 20_000;

/** https://docs.npmjs.com/cli/commands/npm-audit */
const AUDIT = [
  ...['npm', 'audit', '--json', '--omit=dev', '--package-lock-only', '--loglevel=silent'],
  ...['--fetch-retries=0', `--fetch-timeout=${LIMIT_MS / 2}`],
];

export interface Advisory {
  readonly name: string;
  readonly title: string;
  readonly url: string;
  readonly severity: string;
  readonly range: string;
}

/** A package. `via` has its own advisories, and the names of packages whose advisories concern it. */
interface Vulnerable {
  readonly via: readonly (string | Advisory)[];
}

interface Report {
  readonly vulnerabilities?: Readonly<Record<string, Vulnerable>>;
  readonly message?: string;
  readonly error?: { readonly summary?: string };
}

export type Audit = { readonly advisories: readonly Advisory[] } | { readonly unknown: string };

/** Audits the lock file in the folder. `options` are further options of npm. */
export async function audit(
  folder: string,
  options: readonly string[] = [],
  limitMs = LIMIT_MS,
): Promise<Audit> {
  const { output } = await capture([...AUDIT, ...options], {
    cwd: folder,
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  return read(output);
}

function read(output: string): Audit {
  let report: Report;
  try {
    report = JSON.parse(output);
  } catch {
    return { unknown: 'npm audit did not answer in time' };
  }
  const { vulnerabilities, message, error } = report;
  if (vulnerabilities === undefined) return { unknown: message ?? error?.summary ?? 'npm audit failed' };
  const all = Object.values(vulnerabilities).flatMap(({ via }) =>
    via.filter((each) => typeof each !== 'string'),
  );
  return { advisories: [...new Map(all.map((each) => [`${each.name} ${each.url}`, each])).values()] };
}

/** Returns one line for each advisory that is not accepted. Also for an acceptance that is not needed. */
export function vulnerabilityProblems(
  advisories: readonly Advisory[],
  accepted: Readonly<Record<string, string>>,
): string[] {
  const ids = new Set(advisories.map(idOf));
  const unneeded = Object.keys(accepted).filter((id) => !ids.has(id));
  return [
    ...advisories
      .filter((advisory) => !(idOf(advisory) in accepted))
      .map(({ name, range, severity, title, url }) => `${name} ${range} (${severity}): ${title}, ${url}`),
    ...unneeded.map((id) => `ACCEPTED_ADVISORIES has ${id}, which concerns no dependency`),
  ];
}

/** Such as GHSA-jr5f-v2jv-69x6. */
function idOf({ url }: Advisory): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

if (import.meta.main) {
  const [folder = root, ...options] = process.argv.slice(2);
  const result = await audit(folder, options);
  if ('unknown' in result) {
    console.log(`${SKIPPED} the registry was not asked for vulnerabilities: ${result.unknown}`);
  } else {
    const problems = vulnerabilityProblems(result.advisories, ACCEPTED_ADVISORIES);
    for (const problem of problems) console.log(problem);
    if (problems.length > 0) process.exitCode = 1;
  }
}

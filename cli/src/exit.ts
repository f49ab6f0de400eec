/** Exit codes by kind of error, and how errors are written. Scripts rely on the codes: a code never changes its meaning. */
import { PayFlowXError, ReceiptRefused } from '@payflowx/client';
import { CommanderError } from 'commander';
import { printable } from './output.ts';

export const EXIT = {
  ok: 0,
  /** An error of this program, or of the platform (5xx other than below). */
  failed: 1,
  /** Wrong usage, or a request that is not valid. */
  usage: 2,
  /** Not logged in, or the login is too old. */
  unauthenticated: 3,
  /** The role may not do this. */
  forbidden: 4,
  notFound: 5,
  /** The payment or refund was declined. */
  declined: 6,
  /** The state, the version or an earlier request does not allow it. */
  conflict: 7,
  /** No answer, overloaded, or a part is down: repeat it later. Money may have moved: repeat with the same key. */
  unavailable: 8,
  /** The command worked, and its result is bad: a proof that does not hold, a receipt that is refused. */
  bad: 9,
  /** Ctrl-C while money may have moved: 128 and the number of SIGINT, as shells count it. */
  interrupted: 130,
} as const;

export const EXIT_CODES_HELP = `
Exit codes:
  0 done            1 failed             2 wrong usage or request   3 not logged in
  4 not allowed     5 not found          6 declined                 7 conflict
  8 unavailable     9 checked, and the result is bad               130 interrupted
After 8, repeat the command later. If it printed a --key, it may have happened: repeat it with that key.`;

/** The arguments do not make sense together. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** No request is sent. The client does not repeat it. */
export class NotLoggedIn extends PayFlowXError {
  constructor(message: string) {
    super('NOT_LOGGED_IN', message, { status: 401, problem: { detail: message } });
  }
}

/** The command has printed its result, and it says nothing yet: repeat the command later. */
export class Unsettled extends Error {
  override readonly name = 'Unsettled';
}

/** The command has printed its result, and it is bad. */
export class BadResult extends Error {
  override readonly name = 'BadResult';
}

const BY_STATUS: Record<number, number> = {
  0: EXIT.unavailable,
  400: EXIT.usage,
  401: EXIT.unauthenticated,
  402: EXIT.declined,
  403: EXIT.forbidden,
  404: EXIT.notFound,
  409: EXIT.conflict,
  412: EXIT.conflict,
  422: EXIT.conflict,
  429: EXIT.unavailable,
  502: EXIT.unavailable,
  503: EXIT.unavailable,
  504: EXIT.unavailable,
};

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof Unsettled) return EXIT.unavailable;
  if (error instanceof BadResult || error instanceof ReceiptRefused) return EXIT.bad;
  if (!(error instanceof PayFlowXError)) return EXIT.failed;
  if (error.code === 'LOGIN_TOO_OLD') return EXIT.unauthenticated;
  return BY_STATUS[error.status] ?? EXIT.failed;
}

/** Writes the error for people to stderr. Commander has already written its own. `takesKey`: the command has the option --key. */
export function report(error: unknown, takesKey: boolean): void {
  if (error instanceof CommanderError) return;
  process.stderr.write(`${printable(describe(error, takesKey))}\n`);
}

export function describe(error: unknown, takesKey: boolean): string {
  if (!(error instanceof PayFlowXError)) return error instanceof Error ? error.message : String(error);
  const { code, problem, requestId } = error;
  const detail = problem.detail ?? error.message.slice(code.length + 2);
  const fields = (problem.errors ?? []).map(({ pointer, detail: said }) => `  ${pointer}: ${said}`);
  const facts = [`code ${code}`, ...(requestId ? [`request ${requestId}`] : [])];
  return [detail, ...fields, `  ${facts.join(', ')}`, ...hintsOf(error, takesKey)].join('\n');
}

function hintsOf(error: PayFlowXError, takesKey: boolean): string[] {
  const { code, status, idempotencyKey: key } = error;
  const hints: string[] = [];
  if (code === 'LOGIN_TOO_OLD') hints.push('Log in again: payflowx login');
  else if (code === 'SECOND_FACTOR_SETUP_REQUIRED')
    hints.push('Set up a second factor in the console, then log in again: payflowx login');
  else if (status === 401 && code !== 'NOT_LOGGED_IN') hints.push('Log in: payflowx login');
  if (takesKey && key !== undefined && mayHaveHappened(error))
    hints.push(`It may have happened. Repeat it with --key ${key}: it then happens once.`);
  return hints;
}

/** An earlier attempt of the same request may have got through before a 401. */
function mayHaveHappened({ retryable, status }: PayFlowXError): boolean {
  return retryable || [0, 401, 408].includes(status) || status >= 500;
}

/** Finds processes of the platform that ended by themselves. The supervisor starts them again, so no test would notice. */

/** Returns one line for each of them. `log` is the supervisor's. A kill by a test is a SIGKILL, and a stop is logged as "stopped". */
export function ownExits(log: string): string[] {
  return [...log.matchAll(/^(\S+ \S+) \w+ exited: (\S+) \((.+?); not expected\)$/gm)]
    .filter(([, , , how]) => how !== 'terminated by SIGKILL')
    .map(([, time, process, how]) => `${process} ended by itself at ${time}: ${how}`);
}

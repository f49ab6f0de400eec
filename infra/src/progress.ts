/** Prints progress: one line when a slow step begins, one when it is done. */

export type Note = (text: string) => void;

/** Runs the work and prints its result with the name of the step and the time it took. */
export async function step(name: string, work: (note: Note) => Promise<string>): Promise<void> {
  const started = performance.now();
  const outcome = await work((text) => say(name, text));
  const seconds = (performance.now() - started) / 1000;
  say(name, seconds < 0.1 ? outcome : `${outcome} (${seconds.toFixed(1)} s)`, '✓');
}

export function say(name: string, text: string, mark = '·'): void {
  console.log(`${mark} ${name.padEnd(13)} ${text}`);
}

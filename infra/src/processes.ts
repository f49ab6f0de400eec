/** Single processes, for people and for tests of faults: what runs, stop one, start one, where its log is. */
import { Failure } from './failure.ts';
import { logs } from './paths.ts';
import { show } from './run.ts';
import { findRunningSupervisor, type Supervisor } from './supervisor.ts';

export async function printStatus(): Promise<void> {
  const supervisor = await findRunningSupervisor();
  if (!supervisor) {
    console.log('Nothing runs here. Start it with `make up`.');
    return;
  }
  for (const { name, state, detail } of await supervisor.states()) {
    const process = name.split(':').at(-1) ?? name;
    console.log(`${state === 'RUNNING' ? '✓' : '✗'} ${process.padEnd(17)} ${state.padEnd(9)} ${detail}`);
  }
}

export async function control(command: 'start' | 'stop' | 'restart', process: string): Promise<void> {
  const { supervisor, name } = await find(process);
  console.log(await supervisor.control(command, name));
}

export async function printPid(process: string): Promise<void> {
  const { supervisor, name } = await find(process);
  console.log(await supervisor.control('pid', name));
}

export async function followLogs(processes: string[]): Promise<void> {
  const files = processes.length > 0 ? processes.map((name) => `${logs}/${name}.log`) : [`${logs}/*.log`];
  await show(['sh', '-c', `exec tail -n 20 -F ${files.join(' ')}`]);
}

async function find(process: string): Promise<{ supervisor: Supervisor; name: string }> {
  const supervisor = await findRunningSupervisor();
  if (!supervisor) throw new Failure('Nothing runs here.', 'Start it with `make up`.');
  const names = (await supervisor.states()).map(({ name }) => name);
  const name = names.find((each) => each === process || each.endsWith(`:${process}`));
  if (name) return { supervisor, name };
  throw new Failure(
    `There is no process '${process}'.`,
    `These are: ${names.map((each) => each.split(':')[1]).join(', ')}.`,
  );
}

/** CPU and memory of the platform's processes with all their children, from /proc. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second, as the kernel reports them on every architecture. */
const TICK_MS = 10;

interface Process {
  pid: number;
  parent: number;
  /** CPU of the process and of its finished children. */
  cpuMs: number;
}

/** Milliseconds of CPU since each process began, by name. Processes that have ended are included in their parents. */
export function readCpu(roots: ReadonlyMap<string, number>): Map<string, number> {
  const trees = readTrees(roots);
  return new Map([...trees].map(([name, tree]) => [name, tree.reduce((sum, { cpuMs }) => sum + cpuMs, 0)]));
}

/** Bytes by name. Memory shared between processes (PostgreSQL's buffers) is divided among them, so it counts once. */
export function readMemory(roots: ReadonlyMap<string, number>): Map<string, number> {
  const trees = readTrees(roots);
  return new Map(
    [...trees].map(([name, tree]) => [name, tree.reduce((sum, { pid }) => sum + shareOf(pid), 0)]),
  );
}

export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

function readTrees(roots: ReadonlyMap<string, number>): Map<string, Process[]> {
  const children = Map.groupBy(readProcesses(), ({ parent }) => parent);
  const all = new Map([...children.values()].flat().map((each) => [each.pid, each]));
  const treeOf = (pid: number): Process[] => {
    const own = all.get(pid);
    return [...(own ? [own] : []), ...(children.get(pid) ?? []).flatMap((child) => treeOf(child.pid))];
  };
  return new Map([...roots].map(([name, pid]) => [name, treeOf(pid)]));
}

function readProcesses(): Process[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const stat = read(`/proc/${pid}/stat`);
    if (!stat) return []; // The process has ended meanwhile.
    // The name is in brackets and may contain anything. proc_pid_stat(5) numbers the fields after it from 3.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (number: number) => Number(fields[number - 3]);
    const ticks = field(14) + field(15) + field(16) + field(17);
    return [{ pid: Number(pid), parent: field(4), cpuMs: ticks * TICK_MS }];
  });
}

function shareOf(pid: number): number {
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '')?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The ports on which the processes of the platform listen, read from /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { allPids } from '../processes.ts';

export interface Listener {
  /** The name of the process. The second instance of a service counts as the first. */
  process: string;
  /** Such as 127.0.0.1. */
  address: string;
  port: number;
}

/** Processes that keep a socket open for another one also listen on it. */
export async function listeners(): Promise<Listener[]> {
  const sockets = new Map(['tcp', 'tcp6'].flatMap(listeningSockets).map((socket) => [socket.inode, socket]));
  return Object.entries(await allPids()).flatMap(([name, pid]) =>
    inodesOf(pid).flatMap((inode) => {
      const socket = sockets.get(inode);
      return socket ? { process: name.replace(/-2$/, ''), address: socket.address, port: socket.port } : [];
    }),
  );
}

/** https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt */
const LISTEN = '0A';

function listeningSockets(table: string): { inode: string; address: string; port: number }[] {
  const [, ...lines] = readFileSync(`/proc/net/${table}`, 'utf8').trimEnd().split('\n');
  return lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    return state === LISTEN ? { inode, address: readable(address), port: Number.parseInt(port, 16) } : [];
  });
}

/** Each group of 32 bits is written in the byte order of the machine. Only loopback addresses have a short name here. */
function readable(address: string): string {
  if (address === '00000000000000000000000001000000') return '::1';
  if (address === '0000000000000000FFFF00000100007F') return '127.0.0.1';
  return address.length === 8 ? [...Buffer.from(address, 'hex')].reverse().join('.') : address;
}

function inodesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${name}`))?.[1] ?? [];
    } catch {
      return []; // It was closed meanwhile.
    }
  });
}

import { expect, it } from 'vitest';
import { boundIdleConnections } from './bounded-connections.ts';

function bounded(max: number, unread: string[] = []) {
  const closed: string[] = [];
  const connections = boundIdleConnections<string>(
    max,
    (connection) => closed.push(connection),
    (connection) => unread.includes(connection),
  );
  const use = (name: string) => {
    connections.busy(name);
    connections.idle(name);
  };
  return { closed, connections, use };
}

it('a newcomer pushes out the connection that is idle for longest, and no busy one', () => {
  const { closed, connections, use } = bounded(3);
  for (const name of ['a', 'b', 'c']) connections.opened(name);
  connections.busy('a');
  use('c');
  use('b');
  connections.opened('d');
  expect(closed).toEqual(['c']);
  use('d');
  connections.opened('e');
  expect(closed).toEqual(['c', 'b']);
});

it('a flood of connections without a request pushes out its own', () => {
  const { closed, connections, use } = bounded(4);
  connections.opened('client');
  use('client');
  for (const name of ['a', 'b', 'c', 'd', 'e']) connections.opened(name);
  expect(closed).toEqual(['a', 'b']);
});

it('a newcomer is not pushed out by the next one before its request, though all others had one', () => {
  const { closed, connections, use } = bounded(4);
  for (const name of ['a', 'b', 'c', 'd']) {
    connections.opened(name);
    use(name);
  }
  for (const name of ['e', 'f']) connections.opened(name);
  expect(closed).toEqual(['a', 'b']);
});

it('a flood of connections that do not read pushes out its own', () => {
  const { closed, connections } = bounded(4, ['a', 'b', 'c']);
  for (const name of ['stream', 'a', 'b', 'c']) {
    connections.opened(name);
    connections.busy(name);
  }
  for (const name of ['e', 'f']) connections.opened(name);
  expect(closed).toEqual(['a', 'b']);
});

it('a newcomer is closed if all others are busy', () => {
  const { closed, connections } = bounded(1);
  connections.opened('a');
  connections.busy('a');
  connections.opened('b');
  expect(closed).toEqual(['b']);
});

it('a connection that ended makes place, and does not come back when its last call ends', () => {
  const { closed, connections } = bounded(1);
  connections.opened('a');
  connections.busy('a');
  connections.closed('a');
  connections.idle('a');
  connections.opened('b');
  expect(closed).toEqual([]);
  connections.opened('c');
  expect(closed).toEqual(['b']);
});

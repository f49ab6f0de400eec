/**
 * Bounds the number of open connections. A newcomer above the bound pushes out another one, by default an idle one. So a flood of
 * connections that cost their clients nothing keeps no newcomer out.
 *
 * There are three groups: those that are idle after a request, those that never had one, and those whose client does not read. The
 * largest group pays with its oldest one. So a flood of one kind pushes out its own, and newcomers have time to send their request.
 */
export interface BoundedConnections<C> {
  /** Counts a new connection, which is idle at first. Closes it at once if there are too many, and none of the groups has one. */
  opened(connection: C): void;
  /** A busy connection is never closed while its client reads. */
  busy(connection: C): void;
  idle(connection: C): void;
  closed(connection: C): void;
  /** Closes those that never had a request. */
  closeUnused(): void;
}

/** `isUnread` says of a busy connection that bytes wait for its client. */
export function boundIdleConnections<C>(
  max: number,
  close: (connection: C) => void,
  isUnread: (connection: C) => boolean = () => false,
): BoundedConnections<C> {
  // Each is in the order in which its connections came to it.
  const unused = new Set<C>();
  const used = new Set<C>();
  const busy = new Set<C>();
  const groups = [unused, used, busy];

  function forget(connection: C): boolean {
    return groups.some((group) => group.delete(connection));
  }

  function oldestOfLargest(): C | undefined {
    const larger = unused.size > used.size ? unused : used;
    // A flood of newcomers must not look through all busy connections for each of them.
    const unread = busy.size > larger.size ? [...busy].filter(isUnread) : [];
    const [oldest] = unread.length > larger.size ? unread : larger;
    return oldest;
  }

  return {
    opened(connection) {
      if (unused.size + used.size + busy.size < max) {
        unused.add(connection);
        return;
      }
      const out = oldestOfLargest() ?? connection;
      if (forget(out)) unused.add(connection);
      close(out);
    },
    busy: (connection) => void (forget(connection) && busy.add(connection)),
    idle: (connection) => void (forget(connection) && used.add(connection)),
    closed: (connection) => void forget(connection),
    closeUnused() {
      for (const connection of unused) close(connection);
    },
  };
}

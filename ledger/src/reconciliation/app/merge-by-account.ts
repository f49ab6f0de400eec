/** A merge join of sorted streams. Memory holds one line of each stream and its page, for any number of accounts. */
import type { AccountFigures, FigureLine, Source } from '../domain/reconciliation.ts';

export type FigureStreams = Record<Source, AsyncIterable<FigureLine>>;

/** Yields every account of any stream, once, by id. Throws if a stream is not sorted by account id, bytewise. */
export async function* mergeByAccount(streams: FigureStreams): AsyncGenerator<AccountFigures> {
  const readers = await Promise.all(
    Object.entries(streams).map(([source, lines]) => openReader(source as Source, lines)),
  );
  for (;;) {
    const accountId = lowest(readers.flatMap(({ head }) => head?.accountId ?? []));
    if (accountId === undefined) return;
    const lines = await Promise.all(
      readers.map(async (reader) => [reader.source, await takeLinesOf(reader, accountId)] as const),
    );
    yield { accountId, lines: Object.fromEntries(lines) as AccountFigures['lines'] };
  }
}

interface Reader {
  source: Source;
  rest: AsyncIterator<FigureLine>;
  /** The next line; undefined at the end. */
  head: FigureLine | undefined;
}

async function openReader(source: Source, lines: AsyncIterable<FigureLine>): Promise<Reader> {
  const rest = lines[Symbol.asyncIterator]();
  return { source, rest, head: await nextOf(rest) };
}

async function takeLinesOf(reader: Reader, accountId: string): Promise<FigureLine[]> {
  const taken: FigureLine[] = [];
  while (reader.head?.accountId === accountId) {
    taken.push(reader.head);
    reader.head = await nextOf(reader.rest);
    if (reader.head && reader.head.accountId < accountId) {
      throw new Error(`${reader.source} lists ${reader.head.accountId} after ${accountId}.`);
    }
  }
  return taken;
}

async function nextOf(rest: AsyncIterator<FigureLine>): Promise<FigureLine | undefined> {
  const next = await rest.next();
  return next.done ? undefined : next.value;
}

function lowest(ids: readonly string[]): string | undefined {
  return ids.reduce<string | undefined>(
    (least, id) => (least === undefined || id < least ? id : least),
    undefined,
  );
}

import { describe, expect, it } from 'vitest';
import { wrongLimits } from './documented-limits.ts';

const CODE =
  'const PACE_MS = 45;\nconst LIFETIME_S = 5 * 60;\nconst PIECE_BYTES = 900 * 1024;\nconst MAX = 2_500;\nfirstMs: 250,\n';
const found = (text: string) =>
  wrongLimits('page.md', text, (file) => (file === 'a/b.ts' ? CODE : undefined));

describe('numbers in pages', () => {
  it.each([
    'at most every 45 ms<!-- a/b.ts PACE_MS --> while',
    'for 5 minutes<!-- a/b.ts LIFETIME_S -->, or `{ lifetimeS: 300 }`<!-- a/b.ts LIFETIME_S -->',
    'at\nmost 900\nKiB<!-- a/b.ts PIECE_BYTES -->',
    '| 1 to 2,500 | 0.25 s<!-- a/b.ts firstMs --> | 2,500 requests<!-- a/b.ts MAX --> |',
    'a comment of another kind <!-- 5 minutes -->',
  ])('agree with the code: %s', (text) => {
    expect(found(text)).toEqual([]);
  });

  it.each([
    ['a\nb 50 ms<!-- a/b.ts PACE_MS -->', 'page.md:2 says 50 ms; PACE_MS in a/b.ts is 45'],
    ['5 s<!-- a/b.ts LIFETIME_S -->', 'LIFETIME_S in a/b.ts is 300'],
    ['1 KiB<!-- a/b.ts PIECE_BYTES -->', 'PIECE_BYTES in a/b.ts is 900'],
    ['45 ms<!-- a/b.ts PACE -->', 'a/b.ts has no constant PACE'],
    ['45 ms<!-- a/c.ts PACE_MS -->', 'a/c.ts has no constant PACE_MS'],
    ['45 ms<!-- a/b.ts -->', 'a/b.ts has no constant'],
    ['some ms<!-- a/b.ts PACE_MS -->', 'no number'],
  ])('differ, and are found: %s', (text, finding) => {
    expect(found(text)).toEqual([expect.stringContaining(finding)]);
  });
});

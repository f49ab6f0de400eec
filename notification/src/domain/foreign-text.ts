/** Makes text of users harmless for a mail: one line, without control and bidirectional characters, of limited length. */

const MAX_CHARACTERS = 140;

/**
 * Line breaks would add lines, and in a header they would add headers. Bidirectional and other invisible characters (the Unicode
 * category C) can make a text look like another. Every one of them becomes a space.
 */
export function foreignText(text: string): string {
  const line = text
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const characters = Array.from(line);
  return characters.length <= MAX_CHARACTERS ? line : `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…`;
}

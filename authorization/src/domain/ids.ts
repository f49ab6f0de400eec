/** Visible ASCII: the characters of all ids of the platform. */
const ID = /^[\x21-\x7e]{1,64}$/;

export function isId(text: string): boolean {
  return ID.test(text);
}

/** Visible ASCII: what every id of the platform is made of. */
const ID = /^[\x21-\x7e]{1,64}$/;

export function isId(text: string): boolean {
  return ID.test(text);
}

/** The error of a message that its broker will never accept. */

/** The broker refuses the message itself. A retry would fail the same way, and block all messages behind it. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

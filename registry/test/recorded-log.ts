/** A logger that records its messages, for tests. */

import type { Log } from '../src/log.ts';

export interface RecordedLog extends Log {
  messages: string[];
}

export function recordLog(): RecordedLog {
  const messages: string[] = [];
  const record =
    (level: string) =>
    (_fields: object, message: string): void => {
      messages.push(`${level}: ${message}`);
    };
  return {
    messages,
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  };
}

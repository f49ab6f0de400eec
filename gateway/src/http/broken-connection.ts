/** Responds to bytes that Node's HTTP parser cannot read. At this point there is no request, only a socket. */
import type { Socket } from 'node:net';
import { newId } from '@payflowx/chassis';
import { PROBLEM_TYPE, ProblemError, problemBody } from '../problems/problem.ts';
import { PROBLEMS, type ProblemCode } from '../problems/problem-codes.ts';
import { NO_STORE } from './caching.ts';
import { closeLater } from './connections.ts';
import { SECURITY_HEADERS } from './protection.ts';

const CODES: Record<string, ProblemCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
};

export function answerBrokenConnection(error: Error & { code?: string }, socket: Socket): void {
  // The client has disconnected, or a part of a response was already sent.
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  const problem = CODES[error.code ?? ''] ?? 'INVALID_REQUEST';
  const { status, title } = PROBLEMS[problem];
  const requestId = newId('req');
  const body = JSON.stringify(problemBody(new ProblemError(problem, `${title}.`), '', requestId));
  const lines = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    `cache-control: ${NO_STORE}`,
    ...Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
  // `end` closes only one direction. The client could keep the other one open.
  closeLater(socket);
}

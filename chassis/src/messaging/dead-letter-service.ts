/** DeadLetterService: lists the dead letters of this service's sources, and sends them back. */
import { status } from '@grpc/grpc-js';
import {
  type DeadLetter as DeadLetterMessage,
  DeadLetterReason,
  DeadLetterServiceService,
  parseDeadLetterId,
} from '@payflowx/proto/dead-letters';
import { Type } from 'typebox';
import type { AccessTable } from '../rpc/access.ts';
import type { Origin } from '../rpc/caller.ts';
import { errorTable } from '../rpc/errors.ts';
import { cutPage, decodePageToken, type Page, pageSizeOf } from '../rpc/paging.ts';
import { type BoundService, bindService, originOf } from '../rpc/server.ts';
import {
  byNewestFailure,
  type DeadLetter,
  DeadLetterError,
  type DeadLetterReasonName,
  type DeadLetterSource,
  type RedriveQuery,
} from './dead-letter-source.ts';

/** Dead letters are for people only: one can contain every field of a payment or a user. */
const ACCESS: AccessTable<typeof DeadLetterServiceService> = {
  listDeadLetters: ['operator', 'auditor'],
  getDeadLetter: ['operator', 'auditor'],
  redriveDeadLetters: ['operator'],
  listDeadLetterAuditRecords: { roles: ['operator', 'auditor'], scope: 'audit:read' },
};

/** A request to send dead letters back, as the audit log keeps it. */
export interface RedriveRequest {
  deadLetterId: string;
  source: string;
  reason: DeadLetterReasonName | undefined;
}

export interface RedriveRecord extends RedriveRequest {
  id: string;
  actorId: string;
  redrivenCount: number | undefined;
  traceId: string;
  callId: string;
  createdAt: Date;
}

export interface RedriveAudit {
  /** Stores the request before anything is sent. Returns the id of its record. */
  begin(request: RedriveRequest, origin: Origin): Promise<string>;
  finish(recordId: string, redrivenCount: number): Promise<void>;
  /** Returns the records before the position, newest first. */
  list(query: {
    actorId: string | undefined;
    before: string | undefined;
    limit: number;
  }): Promise<RedriveRecord[]>;
}

export interface DeadLetterServiceDeps {
  /** The name of the service, for its errors. */
  service: string;
  sources: readonly DeadLetterSource[];
  audit: RedriveAudit;
  /** Returns the payload as an object for JSON. Amounts may be bigint. Throws if it cannot be decoded. */
  decode(source: DeadLetterSource['name'], payload: Buffer): object;
}

const Position = Type.Object({ at: Type.Integer(), id: Type.String() });
const AuditPosition = Type.Object({ id: Type.String() });

export function deadLetterService({ service, sources, audit, decode }: DeadLetterServiceDeps): BoundService {
  const errors = errorTable(service, DeadLetterError, {
    DEAD_LETTER_NOT_FOUND: status.NOT_FOUND,
    INVALID_ARGUMENT: status.INVALID_ARGUMENT,
    BROKER_UNAVAILABLE: status.UNAVAILABLE,
  });

  function sourcesOf(name: string): readonly DeadLetterSource[] {
    if (name === '') return sources;
    const found = sources.filter((source) => source.name === name);
    if (found.length === 0) throw invalid('source', `must be a source of ${service}`);
    return found;
  }

  function sourceOfId(id: string): DeadLetterSource {
    const found = sources.find(({ name }) => name === parseDeadLetterId(id)?.source);
    if (!found) throw notFound();
    return found;
  }

  /** A request that sends nothing leaves no record if it names a dead letter. */
  async function redriveOne(request: RedriveRequest, origin: Origin): Promise<number> {
    const { deadLetterId: id } = request;
    let recordId: string | undefined;
    // The source is read once: it looks for the dead letter, and sends it after the record is stored.
    const count = await sourceOfId(id).redrive({ id, reason: undefined }, async () => {
      recordId = await audit.begin(request, origin);
    });
    if (count === 0 || recordId === undefined) throw notFound();
    await audit.finish(recordId, count);
    return count;
  }

  async function redriveMany(request: RedriveRequest, origin: Origin): Promise<number> {
    const { source, reason } = request;
    const wanted = sourcesOf(source);
    const recordId = await audit.begin(request, origin);
    const count = await redriveAll(wanted, { id: undefined, reason });
    await audit.finish(recordId, count);
    return count;
  }

  return bindService(DeadLetterServiceService, {
    access: ACCESS,
    errors,
    handlers: {
      async listDeadLetters({ pageSize, pageToken, source, reason }) {
        const size = pageSizeOf(pageSize);
        const position = decodePageToken(pageToken, Position);
        const after = position && { failedAt: new Date(position.at), id: position.id };
        const query = { reason: reasonNamed(reason), after, limit: size + 1 };
        const found = await Promise.all(sourcesOf(source).map((each) => each.list(query)));
        const { rows, nextPageToken } = cutPage(found.flat().sort(byNewestFailure), size, (last) => ({
          ...{ at: last.failedAt.getTime(), id: last.id },
        }));
        return { deadLetters: rows.map(summaryOf), nextPageToken };
      },
      async getDeadLetter({ deadLetterId }) {
        const found = await sourceOfId(deadLetterId).find(deadLetterId);
        if (!found) throw notFound();
        return { deadLetter: withContent(found, decode) };
      },
      async redriveDeadLetters({ deadLetterId, source, reason }, call) {
        if (deadLetterId !== '' && (source !== '' || reason !== DeadLetterReason.UNSPECIFIED))
          throw invalid('dead_letter_id', 'must be without filters');
        const request = { deadLetterId, source, reason: reasonNamed(reason) };
        const redrive = deadLetterId === '' ? redriveMany : redriveOne;
        return { redrivenCount: await redrive(request, originOf(call)) };
      },
      async listDeadLetterAuditRecords({ pageSize, pageToken, actorId }) {
        const size = pageSizeOf(pageSize);
        const before = decodePageToken(pageToken, AuditPosition)?.id;
        const found = await audit.list({ actorId: actorId || undefined, before, limit: size + 1 });
        const { rows, nextPageToken }: Page<RedriveRecord> = cutPage(found, size, ({ id }) => ({ id }));
        return {
          records: rows.map(({ reason, ...record }) => ({ ...record, reason: reasonNumber(reason) })),
          nextPageToken,
        };
      },
    },
  });
}

/** One source after the other, so that a failure leaves the later ones as they are. */
async function redriveAll(sources: readonly DeadLetterSource[], query: RedriveQuery): Promise<number> {
  let count = 0;
  for (const source of sources) count += await source.redrive(query);
  return count;
}

function notFound(): DeadLetterError {
  return new DeadLetterError('DEAD_LETTER_NOT_FOUND', 'The dead letter does not exist, or was sent back.');
}

function invalid(field: string, description: string): DeadLetterError {
  return new DeadLetterError('INVALID_ARGUMENT', `${field} ${description}.`, {
    violations: [{ field, description }],
  });
}

const NUMBERS: Record<DeadLetterReasonName, DeadLetterReason> = {
  UNDECODABLE: DeadLetterReason.UNDECODABLE,
  REJECTED: DeadLetterReason.REJECTED,
  DELIVERY_LIMIT: DeadLetterReason.DELIVERY_LIMIT,
  REFUSED: DeadLetterReason.REFUSED,
  UNKNOWN: DeadLetterReason.UNSPECIFIED,
};

function reasonNumber(reason: DeadLetterReasonName | undefined): DeadLetterReason {
  return reason === undefined ? DeadLetterReason.UNSPECIFIED : NUMBERS[reason];
}

/** Undefined: any. */
function reasonNamed(number: DeadLetterReason): DeadLetterReasonName | undefined {
  if (number === DeadLetterReason.UNSPECIFIED) return undefined;
  const found = Object.entries(NUMBERS).find(([, each]) => each === number);
  if (!found) throw invalid('reason', 'must be a reason of dead letters');
  return found[0] as DeadLetterReasonName;
}

const MAX_SHOWN_BYTES = 64 * 1024;

function summaryOf(letter: DeadLetter): DeadLetterMessage {
  const { id, source, error, eventId, eventType, key, failedAt } = letter;
  const payloadSize = BigInt(letter.payload.length);
  const content = { headers: {}, payload: Buffer.alloc(0), payloadJson: '' };
  const reason = reasonNumber(letter.reason);
  return { id, source, reason, error, eventId, eventType, key, failedAt, payloadSize, ...content };
}

type Decode = DeadLetterServiceDeps['decode'];

function withContent(letter: DeadLetter, decode: Decode): DeadLetterMessage {
  const { headers, payload } = letter;
  const shown = payload.subarray(0, MAX_SHOWN_BYTES);
  return { ...summaryOf(letter), headers, payload: shown, payloadJson: jsonOf(letter, decode) };
}

function jsonOf({ source, payload }: DeadLetter, decode: Decode): string {
  try {
    const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
    return JSON.stringify(decode(source, payload), plain);
  } catch {
    // That it cannot be decoded is often the reason why it is here.
    return '';
  }
}

/**
 * Admits a call by its metadata, before the server reads its message. So only callers that the RPC lists can make the server buffer a
 * message. Its size is limited to what a request of this RPC needs.
 */
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import { newId } from '../ids.ts';
import { inTime } from '../process/in-time.ts';
import type { Logger } from '../telemetry/log.ts';
import type { SecurityEvents } from '../telemetry/security-events.ts';
import { entered, runInTrace, type Trace, traceFrom, traceOfStranger } from '../telemetry/trace.ts';
import { type Access, admit } from './access.ts';
import { measureServed } from './call-metrics.ts';
import { recordServed } from './call-spans.ts';
import type { Caller } from './caller.ts';
import { CallError, type ErrorTable, toRpcStatus, toStatusObject } from './errors.ts';
import type { TokenVerifier } from './identity.ts';
import type { Peers } from './peers.ts';
import { recordRefusal } from './refusals.ts';

export interface AdmissionRule {
  access: Access;
  errors: ErrorTable;
  /** Maximum milliseconds of a call. */
  longestMs: number;
  /** Maximum size of the request message. */
  maxBytes: number;
}

/** The facts about a call that its metadata contains, and its id. */
export interface Admission {
  /** Made here. A caller can choose its trace and request id, but not this id. */
  id: string;
  caller: Caller | undefined;
  accessToken: string | undefined;
  /** The service that made the connection, by its certificate. Users' calls come from the gateway. */
  service: string | undefined;
  /** The time until which the caller waits. */
  deadline: Date;
  trace: Trace;
  /** By performance.now(). */
  startedAt: number;
}

export interface Admissions {
  interceptor: ServerInterceptor;
  /** Returns the admission of a call by the metadata that its handler gets. */
  of(metadata: Metadata): Admission;
}

type NamedTrace = Trace & { callId: string };

interface AdmissionParts {
  verifier: TokenVerifier;
  recentLoginS?: number;
  peers: Peers;
  log: Logger;
  events: SecurityEvents;
  /** Maximum milliseconds of a health check or a call for reflection. */
  longestOtherMs?: number;
}

/** These calls need no token, so a client must not keep its connection busy with one. A reader of contracts asks several questions in one call. */
const LONGEST_OTHER_MS = 10_000;
/** The deadline of a call without one. */
const DEFAULT_DEADLINE_MS = 30_000;
/** Health checks and reflection, which need no token, have small messages. */
const MAX_OTHER_MESSAGE_BYTES = 4 * 1024;

/** `rules` contains the RPCs of our services by path. The health and reflection services have none. */
export function createAdmissions(
  rules: ReadonlyMap<string, AdmissionRule>,
  { peers, log, events, longestOtherMs = LONGEST_OTHER_MS, ...checks }: AdmissionParts,
): Admissions {
  const admissions = new WeakMap<Metadata, Admission>();

  const admitCall = async (
    call: ServerInterceptingCallInterface,
    metadata: Metadata,
    { rule, service, trace }: { rule: AdmissionRule; service: string | undefined; trace: NamedTrace },
  ) => {
    const startedAt = performance.now();
    const deadline = deadlineOf(call, rule.longestMs);
    const accessToken = bearerToken(metadata);
    const admitted = admit(rule.access, { accessToken, service }, checks);
    const caller = await withinDeadline(admitted, deadline);
    admissions.set(metadata, { id: trace.callId, caller, accessToken, service, deadline, trace, startedAt });
    return deadline;
  };

  const listener = (call: ServerInterceptingCallInterface, path: string, rule: AdmissionRule) => {
    const startedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    let trace: NamedTrace | undefined;
    const refuse = (error: unknown) => {
      const rpcStatus = toRpcStatus(error, rule.errors, log);
      call.sendStatus(toStatusObject(rpcStatus));
      measureServed(path, rpcStatus.code, startedAt);
      if (trace) recordServed(trace, startedAt, path, rpcStatus.code);
      recordRefusal(events, error, rpcStatus.code, {
        route: path,
        address: call.getPeer(),
        caller: undefined,
      });
      log.debug({ rpc: path, code: rpcStatus.code }, 'refused');
    };
    const refuseIncomplete = () =>
      refuse(new CallError('DEADLINE_EXCEEDED', 'The request was not complete in time.'));
    return {
      onReceiveMetadata(metadata: Metadata, pass: (metadata: Metadata) => void) {
        const service = peers(call);
        const named = { ...traceOf(metadata, service), callId: newId('call') };
        trace = named;
        runInTrace(named, async () => {
          try {
            const deadline = await admitCall(call, metadata, { rule, service, trace: named });
            // With a deadline of the client, grpc-js has a timer of its own.
            if (!endsBefore(call, deadline)) timer = setTimeout(refuseIncomplete, msUntil(deadline));
            pass(metadata);
          } catch (error) {
            refuse(error);
          }
        });
      },
      // The handler starts when the client has ended its request, which may be long after its message.
      onReceiveHalfClose(pass: () => void) {
        clearTimeout(timer);
        pass();
      },
      onCancel: () => clearTimeout(timer),
    };
  };

  /** For health checks and reflection. */
  const timeLimit = (call: ServerInterceptingCallInterface) => {
    let timer: NodeJS.Timeout | undefined;
    const end = () =>
      call.sendStatus({ code: status.DEADLINE_EXCEEDED, details: 'The call took too long.', metadata: null });
    return {
      onReceiveMetadata(metadata: Metadata, pass: (metadata: Metadata) => void) {
        timer = setTimeout(end, longestOtherMs);
        pass(metadata);
      },
      onCancel: () => clearTimeout(timer),
    };
  };

  return {
    interceptor({ path }, call) {
      const rule = rules.get(path);
      limitMessage(call, rule?.maxBytes ?? MAX_OTHER_MESSAGE_BYTES);
      return new ServerInterceptingCall(call, {
        start: (next) => next(rule ? listener(call, path, rule) : timeLimit(call)),
      });
    },
    of(metadata) {
      const admission = admissions.get(metadata);
      if (!admission) throw new Error('The call was not admitted.');
      return admission;
    },
  };
}

/**
 * grpc-js has only one limit for all methods of a server. The limit of a batch would let each caller of the other methods send as
 * much. A test fails if grpc-js changes these fields.
 */
function limitMessage(call: ServerInterceptingCallInterface, maxBytes: number): void {
  const base = call as unknown as {
    maxReceiveMessageSize: number;
    decoder: { maxReadMessageLength: number };
  };
  base.maxReceiveMessageSize = maxBytes;
  base.decoder.maxReadMessageLength = maxBytes;
}

/** The flag of a caller without our certificate is not simply followed. */
function traceOf(metadata: Metadata, service: string | undefined): Trace {
  const continued = service === undefined ? traceOfStranger : traceFrom;
  return entered(continued(header(metadata, 'traceparent'), header(metadata, 'x-request-id')));
}

export function header(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name);
  return typeof value === 'string' ? value : undefined;
}

function bearerToken(metadata: Metadata): string | undefined {
  return header(metadata, 'authorization')?.match(/^Bearer (\S+)$/i)?.[1];
}

/** grpc-js passes a number, a Date, or Infinity for no deadline. */
function deadlineOf(call: ServerInterceptingCallInterface, longestMs: number): Date {
  const at = Number(call.getDeadline());
  const now = Date.now();
  return new Date(Number.isFinite(at) ? Math.min(at, now + longestMs) : now + DEFAULT_DEADLINE_MS);
}

function endsBefore(call: ServerInterceptingCallInterface, deadline: Date): boolean {
  return Number(call.getDeadline()) <= deadline.getTime();
}

function msUntil(deadline: Date): number {
  return deadline.getTime() - Date.now();
}

/** The work continues after the deadline. Its commit stays, and the caller's retry with the same id finds it. */
export function withinDeadline<T>(work: Promise<T>, deadline: Date): Promise<T> {
  return inTime(work, msUntil(deadline), () => {
    throw new CallError('DEADLINE_EXCEEDED', 'There was no answer in time.');
  });
}

/**
 * Balances the calls of a channel by load. Each call goes to the instance with the fewest calls of this process in flight; equal
 * instances get them in turn.
 *
 * So a hung instance soon has as many calls as the others, and gets no more. Round robin would send it every other call until no
 * capacity for calls is left. This is gRPC's least_request policy
 * (https://github.com/grpc/proposal/blob/master/A48-xds-least-request-lb-policy.md), which grpc-js lacks, but over all instances.
 *
 * A call that fails because of its instance counts for a second longer. A broken instance that answers with errors at once would
 * otherwise never have calls in flight, and would get nearly all of them.
 */
import { type ChannelOptions, connectivityState, experimental, status } from '@grpc/grpc-js';

export const LEAST_REQUESTS = 'payflowx_least_requests';

/** Milliseconds that a failed call still counts as in flight. */
const FAILED_CALL_MS = 1_000;
/**
 * The codes with which a broken instance may fail all calls. A wrong password has one of them too (UNAUTHENTICATED), but such calls
 * count equally against all instances.
 */
const FAILURES = new Set([
  status.UNAVAILABLE,
  status.UNAUTHENTICATED,
  status.INTERNAL,
  status.RESOURCE_EXHAUSTED,
]);

const ROUND_ROBIN = experimental.parseLoadBalancingConfig({ round_robin: {} });

type Helper = experimental.ChannelControlHelper;
type Subchannel = ReturnType<experimental.SubchannelInterface['getRealSubchannel']>;

/** Calls in flight by connection. A connection lives longer than a picker, which is created again with each change. */
type InFlight = WeakMap<Subchannel, number>;

/** Round robin manages the connections and lists them. Only the choice among them is made here. */
class LeastRequestsBalancer implements experimental.LoadBalancer {
  readonly #roundRobin: experimental.ChildLoadBalancerHandler;

  constructor(channel: Helper) {
    const inFlight: InFlight = new WeakMap();
    const updateState: Helper['updateState'] = (state, picker, error) => {
      const isReady = state === connectivityState.READY;
      channel.updateState(state, isReady ? new LeastRequestsPicker(picker, inFlight) : picker, error);
    };
    this.#roundRobin = new experimental.ChildLoadBalancerHandler(
      experimental.createChildChannelControlHelper(channel, { updateState }),
    );
  }

  updateAddressList(
    endpoints: experimental.StatusOr<experimental.Endpoint[]>,
    _config: experimental.TypedLoadBalancingConfig,
    options: ChannelOptions,
    note: string,
  ): boolean {
    return this.#roundRobin.updateAddressList(endpoints, ROUND_ROBIN, options, note);
  }

  exitIdle(): void {
    this.#roundRobin.exitIdle();
  }

  resetBackoff(): void {
    this.#roundRobin.resetBackoff();
  }

  destroy(): void {
    this.#roundRobin.destroy();
  }

  getTypeName(): string {
    return LEAST_REQUESTS;
  }
}

/** Exported for tests. */
export class LeastRequestsPicker implements experimental.Picker {
  readonly #inTurn: experimental.Picker;
  readonly #inFlight: InFlight;

  constructor(inTurn: experimental.Picker, inFlight: InFlight) {
    this.#inTurn = inTurn;
    this.#inFlight = inFlight;
  }

  pick(args: experimental.PickArgs): experimental.PickResult {
    const first = this.#inTurn.pick(args);
    let least = first;
    // One full round and one step further: the next call begins with the next instance.
    for (let offer = this.#inTurn.pick(args); !isSame(offer, first); offer = this.#inTurn.pick(args)) {
      if (this.#load(offer) < this.#load(least)) least = offer;
    }
    return this.#counted(least);
  }

  #load({ subchannel }: experimental.PickResult): number {
    return subchannel ? (this.#inFlight.get(subchannel.getRealSubchannel()) ?? 0) : 0;
  }

  #counted(picked: experimental.PickResult): experimental.PickResult {
    if (!picked.subchannel) return picked;
    const connection = picked.subchannel.getRealSubchannel();
    const add = (calls: number) =>
      this.#inFlight.set(connection, (this.#inFlight.get(connection) ?? 0) + calls);
    return {
      ...picked,
      onCallStarted: () => {
        picked.onCallStarted?.();
        add(1);
      },
      onCallEnded: (...outcome) => {
        picked.onCallEnded?.(...outcome);
        if (FAILURES.has(outcome[0])) setTimeout(add, FAILED_CALL_MS, -1).unref();
        else add(-1);
      },
    };
  }
}

function isSame(one: experimental.PickResult, other: experimental.PickResult): boolean {
  return one.subchannel?.getRealSubchannel() === other.subchannel?.getRealSubchannel();
}

class LeastRequestsConfig implements experimental.TypedLoadBalancingConfig {
  static createFromJson(): LeastRequestsConfig {
    return new LeastRequestsConfig();
  }

  getLoadBalancerName(): string {
    return LEAST_REQUESTS;
  }

  toJsonObject(): object {
    return { [LEAST_REQUESTS]: {} };
  }
}

/** Registers the policy in grpc-js for the whole process. Further calls have no effect. */
export function registerLeastRequests(): void {
  experimental.registerLoadBalancerType(LEAST_REQUESTS, LeastRequestsBalancer, LeastRequestsConfig);
}

// The nodes of a configured address: the address itself, or the current addresses of its name.

import { isIP } from "node:net";
import { formatAddress } from "../component/props/addresses.ts";
import type { HostAddress } from "../fixtures/host-name.ts";
import type { Answer } from "../fixtures/name-answer.ts";
import type { Namer } from "../fixtures/namer.ts";
import type { ErrorLog } from "../log/error-log.ts";
import type { NodeReport } from "../operator/node-orders.ts";
import type { NodeSpec } from "./node.ts";
import { nodeName } from "./node-name.ts";

/** Follows the addresses of one configured node. */
export class NodeAddresses {
  #spec: NodeSpec;
  readonly #log: ErrorLog;
  readonly #changed: () => void;
  #specs: readonly NodeSpec[] = [];
  /** Of its name. */
  #answer: Answer | undefined;
  #follow: Disposable | undefined;
  /** The address in the configuration. */
  readonly text: string;
  /** Why there are no addresses. */
  failure = "";

  /** `changed` is called whenever `specs` changes; never before `follow` returns. */
  constructor(spec: NodeSpec, log: ErrorLog, changed: () => void) {
    this.#spec = spec;
    this.#log = log;
    this.#changed = changed;
    this.text = formatAddress(spec.address);
    if (needsLookup(spec)) this.failure = "its name has not been looked up";
    else this.#specs = [spec];
  }

  get specs(): readonly NodeSpec[] {
    return this.#specs;
  }

  /** Takes another weight and the like for the same address. */
  respecify(spec: NodeSpec): void {
    this.#spec = spec;
    if (needsLookup(spec)) this.#specs = this.#specsNow();
    else this.#specs = [spec];
  }

  /** Of a node without an address. */
  report(): NodeReport {
    const { weight, isBackup } = this.#spec;
    return {
      node: nodeName(this.#spec),
      address: "",
      state: "unresolved",
      weight,
      configuredWeight: weight,
      isBackup,
      active: 0,
      failures: 0,
      lastFailure: this.failure,
    };
  }

  /** Whether a first answer is still to come, which `follow` waits for. */
  get isUnknown(): boolean {
    return this.#answer === undefined && needsLookup(this.#spec);
  }

  /** Settles when the first lookup is complete, whatever its result. */
  follow(namer: Pick<Namer, "follow">): Promise<void> {
    const { address } = this.#spec;
    if ("path" in address || !needsLookup(this.#spec)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#follow = namer.follow(address.host, (answer) => {
        this.#take(address.host, answer);
        resolve();
      });
    });
  }

  stop(): void {
    this.#follow?.[Symbol.dispose]();
  }

  #take(host: string, answer: Answer): void {
    const { addresses, error } = answer;
    this.#answer = answer;
    // A stale address is better than none.
    if (error !== undefined) this.#log.warn(error.message, { staleAddresses: addresses.length });
    this.failure = addresses.length > 0 ? "" : (error?.message ?? `${host} has no address`);
    this.#specs = this.#specsNow();
    this.#changed();
  }

  #specsNow(): readonly NodeSpec[] {
    const { address } = this.#spec;
    const port = "path" in address ? 0 : address.port;
    const { addresses = [] } = this.#answer ?? {};
    const leastPriority = Math.min(...addresses.map(({ priority }) => priority));
    return addresses.map((found) => specOf(this.#spec, found, port, leastPriority));
  }
}

function needsLookup({ address }: NodeSpec): boolean {
  return !("path" in address) && isIP(address.host) === 0;
}

/** SRV targets have their own ports and weights. Targets with a higher priority value are backups (RFC 2782). */
function specOf(spec: NodeSpec, found: HostAddress, port: number, leastPriority: number): NodeSpec {
  const address = { host: found.ip, port: found.port ?? port };
  if (found.port === undefined) return { ...spec, address };
  const weight = found.weight > 0 ? found.weight * spec.weight : spec.weight;
  return { ...spec, address, weight, isBackup: spec.isBackup || found.priority > leastPriority };
}

// hrpcOutgate: calls servers of hrpc that no backend names.

import { Deadlines } from "@hemi/common";
import { callOver, NotBegunError, type Transport } from "@hemi/common/rpc";
import { dialNode } from "../../backend/dial.ts";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import { formatAddress, parseAddress, type Address } from "../../component/props/addresses.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import type { Context } from "../../stage/context.ts";
import { defineOutgate } from "../../stage/kinds/outgate.ts";
import { HrpcPool } from "./hrpc-pool.ts";
import { sessionCompression } from "./session-compression.ts";

const props = {
  /** Maximum number of addresses that are connected to at a time. One more: `unavailable`. */
  maxAddresses: prop.integer({ default: 1000, min: 1, max: 1_000_000, reload: "live" }),
  /** Time limit for a connection. After that: `unavailable`. */
  dialTimeout: prop.duration({ default: "5s", min: "1ms" }),
  /** How long a connection without calls is kept. */
  aliveTimeout: prop.duration({ default: "15s", min: "1ms" }),
  /** Time limit without progress while messages are sent. After that the connection is ended. */
  writeTimeout: prop.duration({ default: "30s", min: "1ms" }),
  /** A server that is silent for so long while calls run is asked for a sign of life. 0: it never is. */
  pingInterval: prop.duration({ default: "20s" }),
  /** If it gives none in this time, its connection and its calls are ended. */
  pingTimeout: prop.duration({ default: "5s", min: "1ms" }),
  /** Maximum size of a message of an answer, in bytes, before and after decompression. More: `resource_exhausted`. */
  maxMessageSize: prop.size({ default: "4M", min: 1, max: "1G", reload: "live" }),
  /** Whether messages are compressed for servers that take it. */
  compress: prop.bool({ default: false, reload: "live" }),
  /** Messages below this size are not compressed, in bytes. */
  minCompressedSize: prop.size({ default: "1K", reload: "live" }),
};

type HrpcOutgateSettings = PropsOf<typeof props>;

/**
 * Calls servers of hrpc that no backend names, without TLS: `context.stage.outgate(hrpcOutgate).transport(address)`.
 * Every stage has one, whether its configuration mentions it or not.
 */
export const hrpcOutgate = defineOutgate({
  sign: "hrpcOutgate",
  props,
  create: (context) => new HrpcOutgate(context),
});

/** Calls servers that no backend names. */
export class HrpcOutgate implements Part {
  readonly #context: Context<HrpcOutgateSettings>;
  readonly #deadlines: Deadlines;
  /** By address, as long as there are connections. */
  readonly #pools = new Map<string, HrpcPool>();

  constructor(context: Context<HrpcOutgateSettings>) {
    const { log } = context;
    this.#context = context;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
  }

  /** Ends all calls. */
  shutdown(): void {
    for (const pool of this.#pools.values()) pool.destroy();
    this.#deadlines.close();
  }

  /** The way to a server at `host:port`, `[v6]:port` or `/path.sock`. Throws HEMI_USAGE for another text. */
  transport(text: string): Transport {
    const address = parseAddress(text);
    if (address === undefined) throw new HemiError("HEMI_USAGE", `${JSON.stringify(text)} is no address`);
    const { props } = this.#context;
    const poolOf = (): HrpcPool => this.#poolOf(address);
    return {
      async *call(call) {
        yield* callOver(await poolOf().take(call.signal), call, props.maxMessageSize);
      },
    };
  }

  #poolOf(address: Address): HrpcPool {
    const key = formatAddress(address);
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const { props } = this.#context;
    if (this.#pools.size >= props.maxAddresses) this.#dropIdle();
    if (this.#pools.size >= props.maxAddresses) {
      throw new NotBegunError(`${props.maxAddresses} addresses are connected to, which is maxAddresses of hrpcOutgate`);
    }
    const pool = this.#makePool(address);
    this.#pools.set(key, pool);
    return pool;
  }

  #dropIdle(): void {
    for (const [key, pool] of this.#pools) if (pool.isIdle) this.#pools.delete(key);
  }

  #makePool(address: Address): HrpcPool {
    const { props, log } = this.#context;
    const spec = { address, hostname: "", weight: 1, keepConns: 0, isBackup: false };
    return new HrpcPool({
      timeouts: {
        beginTimeout: props.dialTimeout,
        idleTimeout: props.aliveTimeout,
        writeTimeout: props.writeTimeout,
        pingInterval: props.pingInterval,
        pingTimeout: props.pingTimeout,
      },
      maxConns: () => 1,
      compression: sessionCompression(props),
      dial: (onread) => dialNode(spec, undefined, { onread, allowHalfOpen: true }),
      makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
      maxMessageSize: () => props.maxMessageSize,
      failed: (error) => log.error("failed at a connection of hrpc", { error }),
    });
  }
}

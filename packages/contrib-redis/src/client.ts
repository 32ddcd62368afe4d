// Connections to Redis, by ioredis: to one server, to the master that Sentinels name, or to a cluster.

import type { ConnectionOptions } from "node:tls";
import type { Address } from "@hemi/internal";
import { Cluster, Command, Redis } from "ioredis";
import type { RedisProps } from "./redis-props.ts";

/** What a command may be given. */
export type Argument = string | number | Buffer;

/** Runs commands. */
export interface ClientNode {
  call(command: string, args: readonly Argument[]): Promise<unknown>;
}

/** A master of a cluster. */
export interface ClientMaster extends ClientNode {
  /** Where it listens. */
  readonly options: { readonly host?: string | undefined; readonly port?: number | undefined };
}

/** Collects what is written between `cork` and `uncork`. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

/** The part of ioredis that is used. */
export interface Client extends ClientNode {
  /** `ready`: commands can be sent. */
  readonly status: string;
  /** Settles when the first try to connect has ended; it tries again by itself. */
  connect(): Promise<unknown>;
  disconnect(): void;
  /** Like `call`; texts in the answer are Buffers. */
  callBuffer(command: string, args: readonly Argument[]): Promise<unknown>;
  on(event: "error", listener: (error: unknown) => void): unknown;
  on(event: "ready" | "close", listener: () => void): unknown;
  /** The connection; a cluster has several. */
  readonly stream?: Corkable;
  /** Only of a cluster. */
  nodes?(role: "master"): ClientMaster[];
  /** Only of a cluster: `host:port` of the node that has the slot of a command; `undefined`: any node may run it. */
  nodeOf?(command: string, args: readonly Argument[]): string | undefined;
}

/** A cluster that says where a command goes, as far as it knows the slots. */
class ClusterClient extends Cluster {
  nodeOf(command: string, args: readonly Argument[]): string | undefined {
    const [master] = this.slots[new Command(command, [...args]).getSlot()] ?? [];
    return master;
  }
}

/**
 * Nothing is connected yet. No command waits for a connection, and none is sent again: whether it was run is not known.
 */
export function makeClient(props: RedisProps, tls: ConnectionOptions | undefined): Client {
  const { addresses, mode, masterName, username, password, database, commandTimeout } = props;
  const retryStrategy = (tries: number) => retryDelay(tries, props.maxRetryInterval);
  const options = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
    connectTimeout: props.connectTimeout,
    socketTimeout: props.stallTimeout,
    maxLoadingRetryTime: props.maxRetryInterval,
    // All servers know it, those before Redis 6 as well.
    protocol: 2 as const,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    // After a failover: this one is a replica now.
    reconnectOnError: ({ message }: Error) => message.includes("READONLY"),
  };
  if (mode === "cluster") {
    return new ClusterClient(addresses.map(endpointOf), {
      lazyConnect: true,
      enableOfflineQueue: false,
      redisOptions: options,
      clusterRetryStrategy: retryStrategy,
      slotsRefreshTimeout: commandTimeout,
    });
  }
  const single = { ...options, db: database, enableOfflineQueue: false, retryStrategy };
  const [address] = addresses;
  if (mode === "single") {
    return address !== undefined && "path" in address
      ? new Redis({ ...single, path: address.path })
      : new Redis({ ...single, ...addresses.map(endpointOf)[0] });
  }
  return new Redis({
    ...single,
    ...(masterName !== undefined && { name: masterName }),
    sentinels: addresses.map(endpointOf),
    sentinelRetryStrategy: retryStrategy,
    sentinelCommandTimeout: commandTimeout,
    ...(tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
  });
}

function endpointOf(address: Address): { readonly host: string; readonly port: number } {
  if ("path" in address) throw new TypeError("a check has refused paths here");
  return { host: address.host === "" ? "localhost" : address.host, port: address.port };
}

/** Exponential, with a random half: clients of a Redis that comes back do not all come at once. */
function retryDelay(tries: number, max: number): number {
  const delay = Math.min(max, firstRetry * 2 ** Math.min(tries - 1, 30));
  return delay / 2 + (Math.random() * delay) / 2;
}

/** In milliseconds. */
const firstRetry = 50;

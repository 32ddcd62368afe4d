// What operators order for nodes of backends while the program serves. An order outlives generations of the stage: it
// stays until another one takes its place.
//
//   hemi backend api node 10.0.0.1:80 drain ──> NodeOrders ──ordersChanged──> each backend ──> its nodes

/** An order for one node. */
export interface NodeOrder {
  /** The name of the backend. */
  readonly backend: string;
  /** The node as it is written in the configuration, or one of the addresses that its name has. */
  readonly node: string;
  /** Whether it takes no new requests and connections. What it has begun is finished. */
  readonly isDrained: boolean;
  /** In place of the weight of the configuration, from 1 to 1000. Default: that of the configuration. */
  readonly weight?: number;
}

/**
 * `unresolved`: its name has no address. `down`: its health checks fail. `ejected`: it rests after failures at work.
 * `drained`: an operator has ordered it. `draining`: it was taken out of the configuration or of DNS, and finishes its
 * work.
 */
export type NodeState = "up" | "down" | "ejected" | "drained" | "draining" | "unresolved";

/** A node at this moment. */
export interface NodeReport {
  /** As it is written in the configuration. */
  readonly node: string;
  /** `host:port`, or the path of a UNIX socket; "" if its name has no address. */
  readonly address: string;
  /** As of `NodeState`. */
  readonly state: NodeState;
  /** Its present share: ordered or configured, and less in a slow start. */
  readonly weight: number;
  /** The weight of the configuration. */
  readonly configuredWeight: number;
  /** Whether it gets work only if no other node can take it. */
  readonly isBackup: boolean;
  /** Requests or connections that it has. */
  readonly active: number;
  /** Failures at work since this process has known the node. */
  readonly failures: number;
  /** The reason of the last failure of its work or of its health check; "" if there was none. */
  readonly lastFailure: string;
}

/** A backend at this moment. */
export interface BackendReport {
  /** In the configuration. */
  readonly name: string;
  /** For example `http1Backend.api`. */
  readonly path: string;
  /** Requests and connections that wait for a node. */
  readonly queued: number;
  /** In the order of the configuration; then those that leave. */
  readonly nodes: readonly NodeReport[];
}

/** A backend, as far as operators see and steer it. */
export interface OrderedBackend {
  readonly name: string;
  report(): BackendReport;
  /** Orders have changed: it asks `NodeOrders.find` for those of its nodes. */
  ordersChanged(): void;
}

/** The orders of a program, and the backends that follow them. */
export class NodeOrders {
  #orders: readonly NodeOrder[] = [];
  readonly #backends = new Set<OrderedBackend>();

  /** Puts other orders in the place of all. */
  replace(orders: readonly NodeOrder[]): void {
    this.#orders = orders;
    for (const backend of this.#backends) backend.ordersChanged();
  }

  /** The order for a node of a backend, by any of its names. */
  find(backend: string, names: readonly string[]): NodeOrder | undefined {
    return this.#orders.find((order) => order.backend === backend && names.includes(order.node));
  }

  /** A backend has started. Returns the function that ends this. */
  join(backend: OrderedBackend): () => void {
    this.#backends.add(backend);
    return () => void this.#backends.delete(backend);
  }

  /** All backends. While a reload replaces one, the new one counts. */
  reports(): readonly BackendReport[] {
    return [...new Map([...this.#backends].map((backend) => [backend.name, backend])).values()].map((backend) =>
      backend.report(),
    );
  }
}

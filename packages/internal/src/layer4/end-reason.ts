// Why a connection of a router has ended.

/** A word for the log. */
export type ConnEndReason =
  /** Both sides have shut their ends, or it was handled to its end. */
  | "complete"
  /** Another server of the stage has it now: see `handOver`. */
  | "handedOver"
  /** The client reset the connection, or closed it before everything was sent. */
  | "clientAborted"
  /** The node did. */
  | "nodeAborted"
  /** No case matched, or all dealets of those that did left it. */
  | "notTaken"
  /** A dealet refused it. */
  | "refused"
  /** No node could be reached, or all were busy. */
  | "noNode"
  /** Nothing was sent in either direction for too long. */
  | "idleTimeout"
  /** It lasted as long as a connection may. */
  | "maxDuration"
  /** Its node is down: see `onNodeDown`. */
  | "nodeDown"
  /** A component has thrown. */
  | "error"
  /** The stage shuts down, or a reload has dropped what served it. */
  | "shutdown";

/** Whether the error log does not mention it. A dealet that refuses clients says so itself. */
export function isUsualEnd(reason: ConnEndReason): boolean {
  return usual.has(reason);
}

const usual: ReadonlySet<ConnEndReason> = new Set(["complete", "handedOver", "clientAborted", "refused"]);

// Connects a client of a proxy to its target, if it may reach it.

import type { Socket } from "node:net";
import { BackendFailure, type Context, HemiError, tcpsOutgate, type TcpsOutgate, udpsOutgate } from "@hemi/internal";
import { mayReachPort, type ClientAccessSettings } from "./client-access.ts";

/** Why a target is not reached: each protocol has its own code for it. */
export type TargetFailure = "forbidden" | "unknownHost" | "unreachable" | "refused" | "timeout" | "busy";

export interface Target {
  /** A name or an IP address. */
  readonly host: string;
  readonly port: number;
}

/** A socket that supports half-close, or why there is none. */
export async function dialTarget(
  { props, stage }: Context<ClientAccessSettings>,
  { host, port }: Target,
): Promise<Socket | TargetFailure> {
  const outgate = stage.outgate(tcpsOutgate);
  const ips = mayReachPort(props, port) ? await judged(outgate, host, props) : "forbidden";
  if (typeof ips === "string") return ips;
  try {
    return await outgate.dial(ips, port);
  } catch (error) {
    if (!(error instanceof BackendFailure)) throw error;
    if (error.code === "HEMI_TIMEOUT") return "timeout";
    if (error.code === "HEMI_BACKEND_BUSY") return "busy";
    return error.message.includes("ECONNREFUSED") ? "refused" : "unreachable";
  }
}

/** An address that datagrams may be sent to, or why there is none. */
export async function datagramTarget(
  { props, stage }: Context<ClientAccessSettings>,
  { host, port }: Target,
): Promise<{ readonly address: string; readonly port: number } | TargetFailure> {
  const ips = mayReachPort(props, port) ? await judged(stage.outgate(udpsOutgate), host, props) : "forbidden";
  if (typeof ips === "string") return ips;
  const [address] = ips;
  return address === undefined ? "unknownHost" : { address, port };
}

async function judged(
  outgate: Pick<TcpsOutgate, "judge">,
  host: string,
  { allowAddresses }: ClientAccessSettings,
): Promise<readonly string[] | TargetFailure> {
  try {
    const { ips, refusal } = await outgate.judge(host, allowAddresses);
    return refusal === undefined ? ips : "forbidden";
  } catch (error) {
    if (error instanceof HemiError) return "unknownHost";
    throw error;
  }
}

/** The status of HTTP for it. */
export function statusOf(failure: TargetFailure): number {
  switch (failure) {
    case "forbidden":
      return 403;
    case "timeout":
      return 504;
    case "busy":
      return 503;
    case "unknownHost":
    case "unreachable":
    case "refused":
      return 502;
  }
}

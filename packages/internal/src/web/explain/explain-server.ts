// Explains the way of a request through a server: the steps of the dispatcher, in order.

import type { AskedRequest, HostWalk, WalkOutcome, PathWalk, Walk } from "./explanation.ts";
import { labelOf } from "../../component/explain-rows.ts";
import type { Reference } from "../../component/reference.ts";
import { Fcache } from "../../fixtures/fcache.ts";
import { parseAuthority } from "../../http/authority.ts";
import type { ExchanWire, RequestHead } from "../../http/exchan.ts";
import { listMembers } from "../../http/list-members.ts";
import { ListedFields } from "../../http/fields.ts";
import type { ForwardedTrust } from "../../http/forwarded-source.ts";
import type { WebappPart } from "../kinds.ts";
import { normalizePath, type NormalPath } from "../request/path.ts";
import { Request } from "../request/request.ts";
import { explainHostname } from "./explain-hostname.ts";

export type ServerWay = Omit<Walk, "request" | "servers" | "server">;

/** The parts of a server that determine how it handles requests. */
export interface ExplainedServer extends ForwardedTrust {
  readonly webapps: readonly Reference<WebappPart>[];
}

/** Has no side effects. Files are inspected without the stage's cache. */
export async function explainServer(server: ExplainedServer, wire: ExchanWire): Promise<ServerWay> {
  const { webapps } = server;
  const { head } = wire;
  const authority = parseAuthority(head.authority);
  const hostname = authority === undefined && head.authority !== "" ? undefined : (authority?.hostname ?? "");
  const candidates =
    hostname === undefined
      ? []
      : explainHostname(
          hostname,
          webapps.map((webapp) => named(webapp)),
        );
  const host: HostWalk = { received: head.authority, hostname, candidates };
  if (hostname === undefined) return { host, outcome: refused(400, "its host is malformed") };

  const isTunnel = head.method === "CONNECT";
  const [received = ""] = head.target.split("?", 1);
  const normalized = isTunnel ? noPath : normalizePath(received);
  if (typeof normalized === "string") {
    const path: PathWalk = { received, refusedFor: normalized };
    return { host, path, outcome: refused(400, `its path was refused: ${normalized}`) };
  }
  const way = isTunnel ? { host } : { host, path: { received, ...normalized } };
  const winner = candidates.find(({ wins }) => wins)?.webapp;
  const webapp = webapps.find(({ path }) => path === winner?.path);
  if (isTunnel && webapp?.current.letsTunnelsIn !== true) {
    return { ...way, outcome: refused(501, "there are no tunnels here") };
  }
  if (webapp === undefined) return { ...way, outcome: refused(421, "no webapp of the server has its hostname") };
  const terms = webapp.current.tls?.terms.id ?? "";
  if (terms !== "" && wire.tls !== undefined && wire.tls.terms !== terms) {
    const text = "its handshake is one for a name that asks for other client certificates";
    return { ...way, webapp: labelOf(webapp), outcome: refused(421, text) };
  }

  const label = labelOf(webapp);
  if (head.method === "OPTIONS" && head.target === "*") {
    const outcome: WalkOutcome = { type: "answered", by: "the server", status: 204, text: "says what it can do" };
    return { ...way, webapp: label, outcome };
  }
  const fcache = new Fcache({ maxContentBytes: 0 });
  try {
    const given: NormalPath | undefined = head.pathNeedsCare ? normalized : undefined;
    const req = new Request(wire, authority, given, { trust: server, serve: serveNothing, noteFault: serveNothing });
    return {
      ...way,
      webapp: label,
      ...((await webapp.current.explain?.(req, { fcache })) ?? unexplained(label.path)),
    };
  } finally {
    await fcache.shutdown();
  }
}

/** The head of a corresponding client request. */
export function headOf({ method, target, authority, headers }: AskedRequest, scheme: "http" | "https"): RequestHead {
  const list = headers.flatMap(([name, value]) => [name, value]);
  return {
    version: "1.1",
    method,
    scheme,
    authority,
    target,
    pathNeedsCare: target !== "*" && target !== "",
    fields: new ListedFields(authority === "" ? list : ["host", authority, ...list]),
    contentSize: 0,
    upgrades: membersOf(headers, "connection").includes("upgrade") ? membersOf(headers, "upgrade") : [],
  };
}

/** The members of a list field, in lower case. */
function membersOf(headers: AskedRequest["headers"], wanted: string): readonly string[] {
  const values = headers.filter(([name]) => name === wanted).map(([, value]) => value);
  return listMembers(values.join(",").toLowerCase());
}

const noPath: NormalPath = { encodedPath: "", path: "" };

function serveNothing(): void {
  // A request that is only explained asks for no other.
}

function named(webapp: Reference<WebappPart>) {
  return { ...labelOf(webapp), hostnames: webapp.current.hostnames };
}

function refused(status: number, text: string): WalkOutcome {
  return { type: "refused", status, text };
}

function unexplained(path: string): { readonly outcome: WalkOutcome } {
  return { outcome: { type: "open", mayBeBy: [path], otherwise: refused(404, "no rule takes it") } };
}

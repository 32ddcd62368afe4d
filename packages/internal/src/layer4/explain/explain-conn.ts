// Explains what routers would do with a connection: with the conditions that serve, and nothing is done.

import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { explainCondition } from "../../component/explain-condition.ts";
import { labelOf, type ComponentLabel } from "../../component/explain-rows.ts";
import { formatAddress, type AddressRange } from "../../component/props/addresses.ts";
import { more } from "../../component/partial-condition.ts";
import type { Child } from "../../component/context.ts";
import { plainAddress, type Endpoint } from "../../net/peer.ts";
import { known, type ConnFacts } from "../facts.ts";
import type { CasePart } from "../kinds.ts";
import { sniffStream } from "../sniff.ts";
import { sniffDatagram } from "../udps/sniff-datagram.ts";
import { connVariables } from "../variables.ts";
import type { AskedConn, CaseWalkStep, ConnOutcome, ConnWalk, RouterWalk } from "./conn-explanation.ts";
import type { ExplainableRouter, ExplainedRouter } from "./explainable-router.ts";

interface Candidate extends ComponentLabel {
  readonly part: ExplainableRouter;
}

export async function explainConn(all: readonly Candidate[], conn: AskedConn): Promise<ConnWalk> {
  const title = titleOf(conn);
  const candidates = all.filter(({ part }) => part.explained.protocol === conn.protocol);
  const routers = candidates.map((router): RouterWalk => {
    const hindrance = hindranceOf(router.part.explained.address, conn.to);
    const listens = `${conn.protocol} on ${formatAddress(router.part.explained.address)}`;
    const reason = hindrance ?? (conn.to === undefined ? "no --to was given" : "listens there");
    return { router: labelOf(router), listens, isReached: hindrance === undefined, reason };
  });
  const [only, ...others] = candidates.filter((_, i) => routers[i]?.isReached);
  if (only === undefined) {
    const text = `no router listens for ${conn.protocol} there`;
    return { title, routers, outcome: { type: "closed", text } };
  }
  if (others.length > 0) {
    const text = "several routers may receive it: say which by its address";
    return { title, routers, outcome: { type: "closed", text } };
  }
  const { explained } = only.part;
  const facts = factsOf(conn, explained);
  const cases = await explainCases(explained.cases, facts);
  return { title, routers, facts: tableOf(facts), cases, outcome: outcomeOf(cases) };
}

async function explainCases(cases: readonly Child<CasePart>[], facts: ConnFacts): Promise<readonly CaseWalkStep[]> {
  const steps: CaseWalkStep[] = [];
  let isTaken = false;
  for (const each of cases) {
    const { part } = each;
    const label = labelOf(each);
    if (isTaken) {
      steps.push({ case: label, matches: "not reached" });
      continue;
    }
    const condition =
      part.condition && (await explainCondition(part.condition, { subject: facts, table: connVariables }));
    if (condition?.holds === false) {
      steps.push({ case: label, matches: "no", condition });
      continue;
    }
    const asked = askInTurn(part, facts);
    isTaken = asked.at(-1)?.takes === "yes";
    steps.push({ case: label, matches: "yes", ...(condition && { condition }), asked });
  }
  return steps;
}

function askInTurn({ dealets }: CasePart, facts: ConnFacts): NonNullable<CaseWalkStep["asked"]> {
  const asked: NonNullable<CaseWalkStep["asked"]>[number][] = [];
  for (const dealet of dealets) {
    const told = dealet.part.explain?.(facts) ?? ({ takes: "maybe", text: "only running it tells" } as const);
    asked.push({ component: labelOf(dealet), ...told });
    if (told.takes === "yes") break;
  }
  return asked;
}

function outcomeOf(cases: readonly CaseWalkStep[]): ConnOutcome {
  const asked = cases.flatMap(({ asked = [] }) => asked);
  const taker = asked.find(({ takes }) => takes === "yes");
  const otherwise: ConnOutcome =
    taker === undefined
      ? { type: "closed", text: "no case takes it: it is closed" }
      : { type: "taken", by: taker.component, text: taker.text };
  const mayBeBy = asked.filter(({ takes }) => takes === "maybe").map(({ component }) => component);
  return mayBeBy.length === 0 ? otherwise : { type: "open", mayBeBy, otherwise };
}

/** What prevents a client from reaching it. Names are not resolved: a name may lead to any address. */
function hindranceOf(range: AddressRange, to: Endpoint | undefined): string | undefined {
  if (to === undefined) return undefined;
  if ("path" in range) return "a UNIX socket has no port";
  const { host, port, lastPort = port } = range;
  if (port !== 0 && (to.port < port || to.port > lastPort)) return `another port than ${to.port}`;
  const isAny = host === "" || host === "::" || host === "0.0.0.0" || to.address === "";
  if (isAny || isIP(host) === 0 || isIP(to.address) === 0) return undefined;
  return plainAddress(host) === plainAddress(to.address) ? undefined : `another address than ${to.address}`;
}

function factsOf(conn: AskedConn, router: ExplainedRouter): ConnFacts {
  const { from = { address: "127.0.0.1", port: 0 }, to, serverName = "", nextProto = "" } = conn;
  const bytes = Buffer.from(conn.bytes ?? []);
  const isTLS = serverName !== "" || nextProto !== "";
  const { address } = router;
  const own = "path" in address ? { address: "", port: 0 } : { address: address.host, port: address.port };
  return {
    transport: transportOf(router, isTLS),
    srcHost: from.address,
    srcPort: from.port,
    peerHost: from.address,
    dstHost: to === undefined || to.address === "" ? own.address : to.address,
    dstPort: to?.port ?? own.port,
    serverName: serverName.toLowerCase(),
    nextProto,
    protocol: protocolOf(router, bytes, isTLS),
  };
}

function transportOf({ protocol, isTerminating, address }: ExplainedRouter, isTLS: boolean): ConnFacts["transport"] {
  if (protocol === "quic") return "quic";
  if (protocol === "udp") return isTLS ? "dtls" : "udp";
  if (isTerminating) return "tls";
  return "path" in address ? "uds" : "tcp";
}

function protocolOf({ protocol, isTerminating }: ExplainedRouter, bytes: Buffer, isTLS: boolean): string {
  if (protocol === "quic") return "quic";
  return protocol === "udp" ? sniffDatagram(bytes) : streamProtocol(bytes, isTLS && !isTerminating);
}

function streamProtocol(bytes: Buffer, isTLS: boolean): string {
  if (bytes.length === 0) return isTLS ? "tls" : "silent";
  const found = sniffStream(bytes);
  return found === more ? "" : found;
}

function tableOf(facts: ConnFacts): Readonly<Record<string, string>> {
  const { transport, serverName, nextProto, protocol } = facts;
  return { transport, serverName: known(serverName), nextProto: known(nextProto), protocol: known(protocol) };
}

function titleOf({ protocol, from, to }: AskedConn): string {
  const text = ({ address, port }: Endpoint): string => formatAddress({ host: address, port });
  const source = from === undefined ? "127.0.0.1" : text(from);
  return `${protocol} from ${source}${to === undefined ? "" : ` to ${text(to)}`}`;
}

// A walk as rows: position, subject, result. Their formatting is done elsewhere.

import {
  conditionRows,
  describe,
  placeOf,
  row,
  type ComponentLabel,
  type Row,
  type Section,
} from "../../component/explain-rows.ts";
import type {
  Explanation,
  HandshakeWalk,
  HostWalk,
  WalkOutcome,
  PathWalk,
  RuleWalk,
  ServerWalk,
  Walk,
} from "./explanation.ts";
import { quote } from "../../config/quote.ts";

export function walkSections(walk: Walk): readonly Section[] {
  const { servers, server, handshake, host, path, webapp, rules, outcome } = walk;
  return [
    ...(servers.length === 0 ? [] : [{ title: "server", rows: serverRows(servers, server) }]),
    ...(handshake === undefined
      ? []
      : [{ title: "handshake, of a client as is assumed", rows: handshakeRows(handshake) }]),
    ...(host === undefined ? [] : [{ title: hostTitle(host), rows: hostRows(host) }]),
    ...(path === undefined ? [] : [{ title: "path", rows: pathRows(path) }]),
    ...(webapp === undefined || rules === undefined
      ? []
      : [{ title: `rules of ${describe(webapp)}`, rows: rules.flatMap(ruleRows) }]),
    { title: "outcome", rows: outcomeRows(outcome, componentsIn(walk)) },
  ];
}

function serverRows(servers: readonly ServerWalk[], taker: string | undefined): readonly Row[] {
  const isClear = servers.filter(({ isReached }) => isReached).length === 1;
  return servers.map(({ server, listens, isReached, reason }) => {
    const isNamed = server.path === taker && !(isReached && isClear);
    const verdict = isNamed ? `named, ${isReached ? "" : "but "}${reason}` : `${isReached ? "yes" : "no"}, ${reason}`;
    const tone = server.path === taker ? "good" : isReached ? "dim" : "bad";
    return row({ place: placeOf(server), subject: describe(server), object: listens, verdict, tone });
  });
}

function handshakeRows({ serverName, version, clientCertificate, refusedFor }: HandshakeWalk): readonly Row[] {
  const object = serverName === "" ? "none" : quote(serverName);
  if (refusedFor !== undefined) {
    return [row({ subject: "$tlsServerName", object, verdict: `refused: ${refusedFor}`, tone: "bad" })];
  }
  const certificate = { none: "not asked for", optional: "asked for; it has none", required: "required" }[
    clientCertificate
  ];
  const verdict =
    clientCertificate === "required"
      ? "without a right one there is no connection; what it says is not known here"
      : "";
  return [
    row({ subject: "$tlsServerName", object }),
    row({ subject: "$tlsVersion", object: quote(version) }),
    row({ subject: "client certificate", object: certificate, verdict, tone: verdict === "" ? "plain" : "bad" }),
  ];
}

function hostTitle({ received, hostname }: HostWalk): string {
  if (hostname === undefined) return `hostname: ${quote(received)} is malformed`;
  return hostname === "" ? "hostname: none" : `hostname ${quote(hostname)}`;
}

function hostRows({ candidates }: HostWalk): readonly Row[] {
  return candidates.map(({ webapp, pattern, matches, wins, reason }) =>
    row({
      place: placeOf(webapp),
      subject: describe(webapp),
      object: quote(pattern),
      verdict: wins ? `wins, ${reason}` : reason,
      tone: wins ? "good" : matches ? "bad" : "dim",
    }),
  );
}

function pathRows({ received, encodedPath, path, refusedFor }: PathWalk): readonly Row[] {
  if (encodedPath === undefined || path === undefined) {
    return [
      row({ subject: "received", object: quote(received), verdict: `refused: ${refusedFor ?? ""}`, tone: "bad" }),
    ];
  }
  return [
    row({ subject: "received", object: quote(received) }),
    row({ subject: "$encodedPath", object: encodedPath === received ? "the same" : quote(encodedPath) }),
    row({ subject: "$path", object: path === encodedPath ? "the same" : quote(path) }),
  ];
}

function ruleRows(walk: RuleWalk): readonly Row[] {
  const { rule, matches, anewWith, condition, revisers = [], ignoresUpgrade, asked = [], answer } = walk;
  const head = row({
    place: placeOf(rule),
    subject: describe(rule),
    verdict: matches,
    tone: matches === "yes" ? "good" : matches === "no" ? "bad" : "dim",
  });
  const heads = anewWith === undefined ? [head] : [row({ subject: "anew, with", object: quote(anewWith) }), head];
  if (matches === "not reached") return heads;
  return [
    ...heads,
    ...(condition === undefined
      ? [row({ indent: 1, subject: "no condition", tone: "dim" })]
      : conditionRows(condition, 1)),
    ...revisers.map((reviser) =>
      row({ place: placeOf(reviser), indent: 1, subject: `reviser ${describe(reviser)}`, verdict: "stays hooked" }),
    ),
    ...(ignoresUpgrade === undefined
      ? []
      : [row({ indent: 1, subject: "no socklet", object: "so that its upgrade is ignored here", tone: "dim" })]),
    ...asked.flatMap((walk) =>
      explanationRows(placeOf(walk.component), `${walk.kind} ${describe(walk.component)}`, walk),
    ),
    ...(answer === undefined ? [] : explanationRows("", "the rule itself", answer)),
  ];
}

function explanationRows(
  place: string,
  subject: string,
  { takes, text, status, details = [] }: Explanation,
): readonly Row[] {
  const object = status === undefined ? text : `${status}, ${text}`;
  const verdict = { yes: "takes it", no: "leaves it", maybe: "may take it" }[takes];
  const tone = ({ yes: "good", no: "bad", maybe: "plain" } as const)[takes];
  return [
    row({ place, indent: 1, subject, object, verdict, tone }),
    ...details.map((detail) => row({ indent: 2, subject: "", object: detail, tone: "dim" })),
  ];
}

function outcomeRows(outcome: WalkOutcome, components: ReadonlyMap<string, ComponentLabel>): readonly Row[] {
  const labelled = (path: string): Pick<Row, "place" | "subject"> => {
    const label = components.get(path);
    return label === undefined ? { place: "", subject: path } : { place: placeOf(label), subject: path };
  };
  switch (outcome.type) {
    case "answered": {
      const { by, status, text } = outcome;
      return [row({ ...labelled(by), object: status === undefined ? text : `${status}, ${text}`, tone: "good" })];
    }
    case "open":
      return [
        ...outcome.mayBeBy.map((path) => row({ ...labelled(path), object: "if it takes it" })),
        ...outcomeRows(outcome.otherwise, components).map((row) => ({ ...row, object: `else ${row.object}` })),
      ];
    case "refused":
      return [row({ subject: String(outcome.status), object: outcome.text, tone: "bad" })];
    case "unreached":
    case "unclear":
      return [row({ subject: "none", object: outcome.text, tone: "bad" })];
  }
}

function componentsIn({ servers, rules = [] }: Walk): ReadonlyMap<string, ComponentLabel> {
  const labels = [
    ...servers.map(({ server }) => server),
    ...rules.flatMap(({ rule, asked = [] }) => [rule, ...asked.map(({ component }) => component)]),
  ];
  return new Map(labels.map((label) => [label.path, label]));
}

// The $variables of an access log: those of conditions, and those of a completed response.

import type { VariableReader, VariableTable } from "../../component/variables.ts";
import { webVariables } from "../conditions/variables.ts";
import { foreignLogVariable } from "../foreign-names.ts";
import type { AccessEntry } from "./access-entry.ts";
import { redacted, secretFields, type RedactURI } from "./redact.ts";
import { isoTime, milliseconds } from "../../log/lines/times.ts";

const ofEntry: Readonly<Record<string, VariableReader<AccessEntry>>> = {
  /** When the request's head was complete: `2026-01-31T12:00:00.000Z`. */
  time: ({ time }) => isoTime(time),
  /** 499 if the client left before there was a response. */
  status: ({ status }) => String(status),
  /** In bytes, without heads and framing. */
  contentSent: ({ contentSent }) => String(contentSent),
  /** One word of `EndReason`. */
  endReason: ({ endReason }) => endReason,
  /** In milliseconds, with three decimal places. */
  headTime: ({ headTime }) => milliseconds(headTime),
  handleTime: ({ handleTime }) => milliseconds(handleTime),
  sendTime: ({ sendTime }) => milliseconds(sendTime),
  totalTime: ({ totalTime }) => milliseconds(totalTime),
  /** The address of the node of a backend that was asked last. */
  node: ({ node }) => node,
  /** From when a node was asked until the last one had answered; empty if none was. */
  nodeTime: ({ nodeTime }) => (nodeTime === undefined ? "" : milliseconds(nodeTime)),
  /** 32 hexadecimal digits; empty without a trace. */
  traceId: ({ req }) => req.traceId,
  /** How often a node was asked; empty if none was. */
  attempts: ({ attempts }) => (attempts === 0 ? "" : String(attempts)),
  /** `hit`, or why the request went to the backend; empty without a cache. */
  cacheStatus: ({ req }) => req.cacheStatus,
  /** The other end of the connection: a client or a proxy. */
  peerHost: ({ req }) => req.peer.address,
  peerPort: ({ req }) => String(req.peer.port),
  /** `1.1` */
  version: ({ req }) => req.version,
};

/** `redact` is applied to every variable that contains a URI. */
export function accessVariables(redact: RedactURI): VariableTable<AccessEntry> {
  return {
    names: [...Object.keys(ofEntry), sentFamily, ...webVariables.names],
    foreign: foreignLogVariable,
    find(name) {
      if (Object.hasOwn(ofEntry, name)) return ofEntry[name];
      return name.startsWith(sentFamily) ? ofAnswer(name.slice(sentFamily.length), redact) : ofRequest(name, redact);
    },
  };
}

/** `$sent_x_y`: the field `x-y` of the answer, as it was sent; case does not count. */
const sentFamily = "sent_";

function ofAnswer(rest: string, redact: RedactURI): VariableReader<AccessEntry> | undefined {
  if (rest === "") return undefined;
  const field = rest.replaceAll("_", "-").toLowerCase();
  if (secretFields.has(field)) return ({ resp }) => (resp.header(field) === undefined ? "" : redacted);
  if (field === "location" || field === "content-location") return ({ resp }) => redact(resp.header(field) ?? "");
  return ({ resp }) => resp.header(field) ?? "";
}

function ofRequest(name: string, redact: RedactURI): VariableReader<AccessEntry> | undefined {
  const read = webVariables.find(name);
  if (read === undefined) return undefined;
  const [, family, rest = ""] = /^(header|cookie|query)_(.+)$/s.exec(name) ?? [];
  const field = rest.replaceAll("_", "-").toLowerCase();
  if (family === "cookie" || (family === "header" && secretFields.has(field))) {
    return ({ req }) => (read(req) === "" ? "" : redacted);
  }
  if (family === "query") {
    const isSecret = redact(`?${encodeURIComponent(rest)}=`).endsWith(redacted);
    return ({ req }) => (isSecret && read(req) !== "" ? redacted : read(req));
  }
  const isURI = ["uri", "originalURI", "queryString"].includes(name) || (family === "header" && field === "referer");
  return isURI ? ({ req }) => redact(read(req)) : ({ req }) => read(req);
}

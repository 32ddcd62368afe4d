// The story of a request for people: who asked, how, and what was done for it, step by step.

import { HemiError, type RequestStory, type StorySpan } from "@hemi/hemi/base";
import { plainText } from "./plain-text.ts";

/** The story as a worker tells it. */
export interface WorkerStory extends RequestStory {
  readonly slot: number;
}

/** For the id of a request that nobody knows. */
export function unknownRequest(requestId: string): HemiError {
  return new HemiError(
    "HEMI_USAGE",
    `no worker knows request ${requestId}: it is not under way, and not among the last sampled ones ` +
      "(see traceTo and tracesPerMillion)",
  );
}

/** Lines of the request and its connection, then one for each span: from when, for how long, what. */
export function storyText(story: WorkerStory): string {
  const { requestId, traceId, slot, duration, isOver, spans, startTime } = story;
  const text = textOf(story.attributes);
  const status = text("http.response.status_code") || "no answer";
  const peer = `${text("network.peer.address")} port ${text("network.peer.port")}`;
  const lines = [
    `${text("http.request.method")} ${urlText(text)}`,
    `request   ${requestId}, in worker ${slot}, at ${new Date(startTime).toISOString()}`,
    ...(traceId === "" ? [] : [`trace     ${traceId}`]),
    `client    ${text("client.address")}; connection of ${peer}`,
    `protocol  HTTP/${text("network.protocol.version")}${tlsText(text)}`,
    `component ${text("hemi.component")}`,
    isOver ? `status    ${status}, after ${time(duration)} ms` : `so far    ${status}, for ${time(duration)} ms`,
    ...(spans.length === 0 ? ["it is not sampled: its steps are not known"] : ["", "      from       for"]),
    ...spansBelow(parentOfAll(spans), spans, startTime, 0),
  ];
  return `${lines.map(plainText).join("\n")}\n`;
}

type TextOf = (name: string) => string;

function textOf(attributes: RequestStory["attributes"]): TextOf {
  return (name) => String(attributes[name] ?? "");
}

function urlText(text: TextOf): string {
  const port = text("server.port");
  return `${text("url.scheme")}://${text("server.address")}${port === "" ? "" : `:${port}`}${text("url.path")}`;
}

function tlsText(text: TextOf): string {
  const version = text("tls.protocol.version");
  if (version === "") return ", without TLS";
  const name = text("tls.client.server_name");
  const forName = name === "" ? "" : ` for ${name}`;
  const resumed = text("tls.resumed") === "true" ? ", resumed" : "";
  return ` over TLS ${version}, ${text("tls.cipher")}${forName}${resumed}`;
}

/** The parent of spans whose parent is not among them: that of the client, or the server span, if it is not over. */
function parentOfAll(spans: readonly StorySpan[]): string {
  const known = new Set(spans.map(({ spanId }) => spanId));
  return spans.find(({ parentId }) => !known.has(parentId))?.parentId ?? "";
}

function spansBelow(parent: string, spans: readonly StorySpan[], since: number, depth: number): readonly string[] {
  const below = spans.filter(({ parentId }) => parentId === parent).toSorted((a, b) => a.startTime - b.startTime);
  return below.flatMap((span) => [spanText(span, since, depth), ...spansBelow(span.spanId, spans, since, depth + 1)]);
}

function spanText({ name, startTime, endTime, attributes, error }: StorySpan, since: number, depth: number): string {
  const text = textOf(attributes);
  const lasted = endTime === null ? "under way" : time(endTime - startTime);
  const node = name === "attempt" ? ` ${text("server.address")} ${text("http.response.status_code")}`.trimEnd() : "";
  const times = time(startTime - since).padStart(10) + lasted.padStart(10);
  return `${times}  ${"  ".repeat(depth)}${name}${node}${error === undefined ? "" : `: ${error}`}`;
}

function time(ms: number): string {
  return Math.max(0, ms).toFixed(2);
}

// For tests: one (req, res) app on a server of Node.js and inside Hemi, to compare what the two see and send.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exchange } from "./client.ts";
import { current } from "./node-app.ts";
import { serve } from "./serve.ts";

export interface Story {
  /** The request, as `exchange` takes it. Default: `GET / HTTP/1.1`. */
  readonly request?: string;
  /** `note` keeps what happens, for the comparison. */
  readonly app: (req: IncomingMessage, res: ServerResponse, note: (...what: unknown[]) => void) => unknown;
  /** Instead of `exchange`: a client that does not do as it should. Resolves to what it saw. */
  readonly client?: (port: number, notes: readonly string[]) => Promise<string>;
  /** These notes come in no fixed order: they are sorted. */
  readonly isUnordered?: boolean;
}

export interface Outcome {
  readonly answer: string;
  readonly notes: readonly string[];
}

/** Runs the story until request and response are closed. */
export async function inNode(story: Story): Promise<Outcome> {
  const { app, notes, closed } = keep(story);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await run(story, (server.address() as AddressInfo).port, notes, closed);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

export async function inHemi(story: Story): Promise<Outcome> {
  const { app, notes, closed } = keep(story);
  current.app = app;
  await using site = await serve('nodeHandlet { .module = "node-app.ts" }');
  return await run(story, site.port, notes, closed);
}

function keep(story: Story) {
  const notes: string[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  return {
    notes,
    closed,
    app: (req: IncomingMessage, res: ServerResponse): void => {
      res.on("close", () => setImmediate(resolve));
      const outcome = story.app(req, res, (...what) => notes.push(what.map(textOf).join(" ")));
      if (outcome instanceof Promise) outcome.catch((error: unknown) => notes.push(`rejected: ${textOf(error)}`));
    },
  };
}

async function run(story: Story, port: number, notes: string[], closed: Promise<void>): Promise<Outcome> {
  const { request = "GET / HTTP/1.1", client } = story;
  const answer = await (client === undefined ? exchange(port, request) : client(port, notes));
  await closed;
  return { answer: normal(answer), notes: story.isUnordered === true ? notes.toSorted() : [...notes] };
}

/** Without what the two may do each in its way: the names' case and order, dates, and framing that is right. */
function normal(answer: string): string {
  const [, line = "", head = "", content = ""] = /^(HTTP\/1\.1 [^\r]+\r\n)(.*?)\r\n\r\n(.*)$/s.exec(answer) ?? [];
  if (line === "") return answer;
  if (line.startsWith("HTTP/1.1 1")) return `${line}${normalFields(head, "").join("\n")}\n\n${normal(content)}`;
  const whole = /^transfer-encoding: chunked/im.test(head) ? unchunk(content) : content;
  return `${line}${normalFields(head, whole).join("\n")}\n\n${whole}`;
}

function normalFields(head: string, content: string): string[] {
  const fields = head.split("\r\n").map((field) => field.replace(/^[^:]+/, (name) => name.toLowerCase()));
  const dropped = /^(?:date|connection|keep-alive|transfer-encoding):/;
  return fields.filter((field) => !dropped.test(field) && field !== `content-length: ${content.length}`).toSorted();
}

/** The content, with the trailers behind it if there are any. */
function unchunk(content: string): string {
  let text = "";
  let rest = content;
  for (;;) {
    const [line = "", size = ""] = /^([0-9a-f]+)\r\n/.exec(rest) ?? [];
    const length = parseInt(size, 16);
    if (!(length > 0)) return text + (rest === "0\r\n\r\n" ? "" : `|${rest}`);
    text += rest.slice(line.length, line.length + length);
    rest = rest.slice(line.length + length + 2);
  }
}

function textOf(value: unknown): string {
  if (value instanceof Error) return "code" in value ? `${value.name} ${String(value.code)}` : value.message;
  return typeof value === "string" ? value : value === undefined ? "undefined" : JSON.stringify(value);
}

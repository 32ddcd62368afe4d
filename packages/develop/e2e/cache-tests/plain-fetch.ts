// A fetch without a mind of its own: it adds no field and follows no redirect, as tests of caches need it.

import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { once } from "node:events";

/** The options that the suite uses. */
export interface PlainInit {
  readonly method?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
}

export interface PlainResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  text(): Promise<string>;
}

/** Asks for a URL of plain HTTP. */
export async function plainFetch(
  url: string,
  { method = "GET", headers = [], body }: PlainInit = {},
): Promise<PlainResponse> {
  const asked = request(url, { method });
  for (const [name, value] of headers) asked.appendHeader(name, value);
  // Node.js would not frame the content of a DELETE.
  if (body !== undefined) asked.setHeader("content-length", Buffer.byteLength(body));
  asked.end(body);
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  const content = text(answer);
  const fields = new Headers();
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    fields.append(answer.rawHeaders[i] ?? "", answer.rawHeaders[i + 1] ?? "");
  }
  return {
    status: answer.statusCode ?? 0,
    statusText: answer.statusMessage ?? "",
    headers: fields,
    text: () => content,
  };
}

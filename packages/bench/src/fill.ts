// Fills the cache of a server that has `page-pack.ts`.

import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";

/** What a page is asked for with. */
const host = "shop.example";
const maxTries = 50;

/** The path of the page with this number. */
export function pathOf(number: number): string {
  return `/catalogue/shoes/running/${number}.html`;
}

/** Stores the pages from one number to before another. Those that are there already may be among them. */
export async function fill(port: number, from: number, to: number): Promise<void> {
  // Its head is that of all others. It may be sent before it is stored.
  for (let tries = 0; !(await ask(port, pathOf(0))).includes("hit"); tries++) {
    if (tries === maxTries) throw new Error(`${pathOf(0)} is not stored`);
    await setTimeout(100);
  }
  await ask(port, `/fill?from=${from}&to=${to}`);
}

/** Asks for a path, and settles with the field `cache-status`. Throws if it is not answered by 200. */
export async function ask(port: number, path: string): Promise<string> {
  const request = get({ port, host: "127.0.0.1", path, headers: { host } });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const content = await text(response);
  if (response.statusCode !== 200) throw new Error(`${path} was answered with ${response.statusCode}: ${content}`);
  return String(response.headers["cache-status"]);
}

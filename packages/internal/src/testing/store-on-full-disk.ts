// For tests: a program that caches a response which is larger than the files that it may write. Its argument is the
// folder.

import { cachedSite } from "./cached-site.ts";

const [, , folder = ""] = process.argv;
const site = await cachedSite(
  (_req, resp) => {
    resp.setHeader("cache-control", "max-age=600");
    resp.send("x".repeat(800_000));
    return true;
  },
  "",
  { sign: "diskCacher", cacher: `.folder = "${folder}"` },
);
const answers = [await site.get("/"), await site.get("/")];
for (const { status, text } of answers) process.stdout.write(`${status} ${text.length}\n`);
await site[Symbol.asyncDispose]();
process.stdout.write(site.log.join("\n"));

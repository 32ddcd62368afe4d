// What stands behind caches and limiters: a small page for each path, as a backend would send it; and the memory of the
// process.

import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { defineHandlet, pack } from "@hemi/hemi";

/** Of a page, in bytes. */
const pageSize = 1000;

const smallPage = defineHandlet({
  sign: "smallPage",
  create: () => ({
    handle(req, resp) {
      const digest = createHash("md5").update(req.path).digest("hex");
      resp.setHeader("content-type", "text/html; charset=utf-8");
      resp.setHeader("cache-control", "public, max-age=86400");
      resp.setHeader("etag", `"${digest}"`);
      resp.setHeader("last-modified", "Sat, 28 Nov 2026 12:00:00 GMT");
      resp.send(digest.padEnd(pageSize, "."));
      return true;
    },
  }),
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Answers with the resident memory in bytes, without garbage. */
const tidyMemory = defineHandlet({
  sign: "tidyMemory",
  create: () => ({
    handle(_req, resp) {
      for (let i = 0; i < 3; i++) collectGarbage();
      resp.send(String(process.memoryUsage.rss()));
      return true;
    },
  }),
});

export default pack("bench", [smallPage, tidyMemory]);

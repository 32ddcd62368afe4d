// What stands behind caches and limiters: a small page for each path, as a backend would send it; what fills a cacher
// with very many of them; and the memory of the process.

import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { cacherKind, defineHandlet, HTTPError, pack, prop, type CacherPart, type WobjectHead } from "@hemi/hemi";
import { pathOf } from "../fill.ts";

/** Of a page, in bytes. */
const pageSize = 1000;

interface Page {
  readonly etag: string;
  readonly content: string;
}

function pageAt(path: string): Page {
  const digest = createHash("md5").update(path).digest("hex");
  return { etag: `"${digest}"`, content: digest.padEnd(pageSize, ".") };
}

const smallPage = defineHandlet({
  sign: "smallPage",
  create: () => ({
    handle(req, resp) {
      const { etag, content } = pageAt(req.path);
      resp.setHeader("content-type", "text/html; charset=utf-8");
      resp.setHeader("cache-control", "public, max-age=86400");
      resp.setHeader("etag", etag);
      resp.setHeader("last-modified", "Sat, 28 Nov 2026 12:00:00 GMT");
      resp.send(content);
      return true;
    },
  }),
});

/**
 * Stores the pages `?from=…&to=…` in a cacher as `cache` would: each has the head of page 0, which was asked for
 * before, but for what is its own. A million requests would take longer than all that is measured.
 */
const fillPages = defineHandlet({
  sign: "fillPages",
  props: {
    /** Where they are stored. */
    into: prop.reference(cacherKind, { required: true }),
  },
  create: ({ props }) => ({
    async handle(req, resp) {
      const cacher = props.into.current;
      const origin = `http://${req.authority}`;
      const [first] = await cacher.lookup(origin + pathOf(0));
      if (first === undefined) throw new HTTPError(409, "ask for page 0 first");
      const { searchParams } = new URL(req.uri, origin);
      let next = Number(searchParams.get("from"));
      const end = Number(searchParams.get("to"));
      const work = async (): Promise<void> => {
        while (next < end) {
          await store(cacher, first.head, origin, pathOf(next++));
          if (next % storedInTurn === 0) await setImmediate();
        }
      };
      await Promise.all(Array.from({ length: storedAtOnce }, work));
      resp.send("filled");
      return true;
    },
  }),
});

/** A diskCacher notes in one transaction what comes at once. */
const storedAtOnce = 256;
const storedInTurn = 1000;

async function store(cacher: CacherPart, like: WobjectHead, origin: string, path: string): Promise<void> {
  const url = origin + path;
  const { etag, content } = pageAt(path);
  const writer = cacher.begin(url);
  writer.write(Buffer.from(content));
  const { fieldList } = like;
  const own = fieldList.map((text, i) => (i % 2 === 1 && fieldList[i - 1] === "etag" ? etag : text));
  const stored = await writer.commit({ ...like, key: url, url, fieldList: own });
  if (stored === undefined) throw new Error(`${url} was not stored`);
}

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

export default pack("bench", [smallPage, fillPages, tidyMemory]);

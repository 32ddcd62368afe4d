import { expect, test } from "vitest";
import { Fcache } from "../../fixtures/fcache.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { Dispatcher } from "./dispatcher.ts";
import { OpenExchans } from "./open-exchans.ts";
import { injectRequest } from "../wires/inject.ts";
import type { WebappPart } from "../kinds.ts";

/** A webapp that says its name, if it takes a request at all. */
function webapp(name: string, hostnames: readonly string[], takes = true): WebappPart {
  return {
    hostnames,
    get webapp(): WebappPart {
      return this;
    },
    settings: new Map(),
    handle(_req, resp) {
      if (takes) resp.send(name);
      return takes;
    },
    notFound(_req, resp) {
      resp.status = 404;
      resp.send(`${name} has none`);
    },
  };
}

function asking(...webapps: readonly WebappPart[]) {
  const sink = new MemorySink();
  const dispatcher = new Dispatcher({
    webapps,
    log: openErrorLog({ sink }),
    fcache: new Fcache(),
    open: new OpenExchans(),
  });
  return { ask: injectRequest((wire) => dispatcher.serve(wire)), log: sink.lines };
}

test.each([
  ["shop.example", "shop"],
  ["SHOP.example.:80", "shop"],
  ["a.shop.example", "shops"],
  ["blog.test", "blog"],
  ["other.example", "rest"],
  ["[::1]", "rest"],
  ["", "rest"],
])("a request for %j goes to %s", async (host, name) => {
  const { ask } = asking(
    webapp("shop", ["shop.example"]),
    webapp("shops", ["*.shop.example"]),
    webapp("blog", ["blog.*"]),
    webapp("rest", ["*"]),
  );
  // Asked twice: the second time the way is known.
  for (let i = 0; i < 2; i++) expect((await ask({ url: "/", headers: { host } })).text).toBe(name);
});

test("a hostname that belongs to no webapp gives 421, and so does none", async () => {
  const { ask, log } = asking(webapp("shop", ["shop.example"]));
  expect(await ask({ url: "/", headers: { host: "other.example" } })).toMatchObject({ status: 421 });
  expect(await ask({ url: "/" })).toMatchObject({ status: 421 });
  expect(log.join("")).toContain("refused a request of 127.0.0.1 with 421: no webapp here has its hostname");
});

test("what the webapp does not take, it answers itself; CONNECT it is not even asked", async () => {
  const { ask } = asking(webapp("shop", ["*"], false));
  expect(await ask({ url: "/" })).toMatchObject({ status: 404, text: "shop has none" });
  expect(await ask({ url: "/", method: "CONNECT" })).toMatchObject({ status: 501 });
});

test("names without number fill no memory", async () => {
  const { ask } = asking(webapp("rest", ["*"]));
  for (let i = 0; i < 2500; i++)
    expect((await ask({ url: "/", headers: { host: `h${i}.example` } })).text).toBe("rest");
});

test.each(["sync", "async"])("a webapp whose own answer to the rest fails %s gives 500", async (how) => {
  const failing: WebappPart = {
    ...webapp("shop", ["*"], false),
    notFound() {
      if (how === "sync") throw new Error("no page");
      return Promise.reject(new Error("no page"));
    },
  };
  const { ask, log } = asking(failing);
  expect(await ask({ url: "/" })).toMatchObject({ status: 500, text: "500 Internal Server Error\n" });
  expect(log.join("")).toContain("no page");
});

import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { pack } from "../component/pack.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { defineServer } from "../stage/kinds/server.ts";
import { HttpxServer, httpxServer } from "./httpx-server.ts";

/** A source that knows one challenge, and no certificate. */
const acmeServer = defineServer({
  ...httpxServer,
  sign: "acmeServer",
  create: (context) =>
    new HttpxServer(context, {
      source: {
        fallback: undefined,
        dependsOnName: true,
        find: () => undefined,
        answerChallenge: (hostname, token) =>
          hostname === "a.example" && token === "tok_1-2" ? `${token}.thumbprint` : undefined,
      },
    }),
});

test("challenges of an authority are answered before any webapp is asked, and nothing else is", async () => {
  const text = `stage {
    webapp "a" { .hostnames = ("b.example") rule { .returnText = "webapp" } }
    acmeServer "main" { .webapps = ("a") .address = "127.0.0.1:0" }
  }`;
  const log = openErrorLog({ sink: new MemorySink() });
  await using stage = await bootWith([]).bootText(text, { log, use: [pack("test", [acmeServer])] });
  await stage.start();
  const ask = async (host: string, url: string, method = "GET") => {
    const { status, text } = await stage.inject({ url, method, headers: { host } });
    return `${status} ${text}`;
  };
  const path = "/.well-known/acme-challenge/tok_1-2";
  // No webapp has its name: it may be one that a certificate is wanted for only now.
  expect(await ask("a.example", path)).toBe("200 tok_1-2.thumbprint");
  expect(await ask("A.example:80", path)).toBe("200 tok_1-2.thumbprint");
  expect(await ask("b.example", path)).toBe("200 webapp");
  expect(await ask("b.example", `${path}/x`)).toBe("200 webapp");
  expect(await ask("a.example", path, "POST")).toMatch(/^421 /);
});

// What these handlets say that they would do is what they do.

import { bootWith, Listeners, MemorySink, openErrorLog } from "@hemi/internal";
import { expect, test } from "vitest";
import handlets from "./index.ts";

const listeners = new Listeners();
const icon = JSON.stringify(import.meta.filename);

test.each([
  `accessChecker { .allow = ("127.0.0.0/8") }`,
  `accessChecker { .deny = ("127.0.0.1") .otherwise = "allow" }`,
  `refererChecker { .hosts = ("*.b.example") .allowEmpty = false }`,
  `hostnameChecker { .hostnames = ("a.example") }`,
  `httpsChecker {}`,
  `httpsChecker { .port = 8443 }`,
  `favicon {}`,
  `favicon { .file = ${icon} }`,
  `favicon { .file = "/none.ico" }`,
])("%s", async (handlet) => {
  const config = `stage {
    httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:0" }
    webapp "app" { .hostnames = ("*") rule { ${handlet} } rule { .returnCode = 418 } }
  }`;
  const log = openErrorLog({ sink: new MemorySink() });
  await using stage = await bootWith([handlets]).bootText(config, { log, listeners });
  await stage.start();
  for (const host of ["a.example", "b.example", ""]) {
    for (const referer of ["http://a.example/", "http://x.b.example/", "http://c.example/", ""]) {
      for (const url of ["/", "/favicon.ico"]) {
        for (const method of ["GET", "POST", "OPTIONS"]) {
          const headers = { ...(host !== "" && { host }), ...(referer !== "" && { referer }) };
          const { outcome } = await stage.explain({ url, method, headers });
          const { status } = await stage.inject({ url, method, headers });
          expect(outcome).toMatchObject({ type: "answered" });
          expect("status" in outcome ? outcome.status : 200).toBe(status);
        }
      }
    }
  }
});

// What reloads leave in memory, counted in objects.

import { queryObjects } from "node:v8";
import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { Component } from "../component/component.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { Generation } from "../stage/generation.ts";

/**
 * Most components are kept; others change in place, are made anew, or come and go. Names come back: what is counted for
 * a name goes on then.
 */
const site = (i: number): string => `stage {
  webapp "kept" {
    .hostnames = ("*")
    ${Array.from({ length: 50 }, (_, rule) => `rule $path *= "/${rule}/" { .returnText = "of " + $path }`).join("\n")}
    rule { httpProxy { .toBackend = "nodes" } }
  }
  webapp "changed" { .hostnames = ("a${i}.example") rule $path == "/${i}" { .returnText = "text ${i} of " + $hostname } }
  http1Backend "nodes" { .nodes = (["address": "127.0.0.1:9", "weight": ${1 + (i % 5)}]) }
  http1Backend "anew${i % 5}" { .nodes = (["address": "127.0.0.1:${100 + (i % 5)}"]) }
  ${i % 2 === 0 ? 'webapp "even" { .hostnames = ("even.example") rule { .returnText = "even" } }' : ""}
  httpxServer "main" { .webapps = ("kept", "changed") .address = "127.0.0.1:0" .maxConns = ${1000 + i} }
}`;

test("200 reloads leave no component, no generation and no other objects behind", { timeout: 90_000 }, async () => {
  await using stage = await bootWith([]).bootText(site(0), { log: openErrorLog({ sink: new MemorySink() }) });
  await stage.start();
  let last = 0;
  async function reload(times: number): Promise<void> {
    for (const end = last + times; last < end;) {
      const { departed } = await stage.reload({ text: site(++last) });
      await departed;
      await stage.inject({ url: `http://a${last}.example/${last}` });
    }
  }
  const classes = [Component, Generation, Object];
  const count = () => classes.map((one) => queryObjects(one, { format: "count" }));
  await reload(20);
  const before = count();
  await reload(200);
  const grown = count().map((after, place) => after - (before[place] ?? 0));
  // A leak is one at least for each reload. The last generation may be on its way.
  for (const [place, { name }] of classes.entries()) expect(grown[place], name).toBeLessThan(150);
});

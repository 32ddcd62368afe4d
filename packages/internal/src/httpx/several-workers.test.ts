// Numbers that are meant for the whole program, in one of several workers.

import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import type { ServerPart } from "../stage/kinds/server.ts";
import { FakeProgram } from "../testing/fake-program.ts";
import { RawClient, request } from "../testing/raw-client.ts";

test("each worker has its part of maxConns", async () => {
  const program = new FakeProgram();
  const [workers] = [program.join(), program.join()];
  const sink = new MemorySink();
  const text = `stage {
    webapp "a" { .hostnames = ("*") rule { .returnText = "a" } }
    httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" .maxConns = 3 }
  }`;
  await using stage = await bootWith([]).bootText(text, { log: openErrorLog({ sink }), workers });
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const connect = () => RawClient.connect({ host: "127.0.0.1", port: Number(listensOn.replace(/^.*:/, "")) });
  await using first = await connect();
  await using second = await connect();
  for (const client of [first, second]) expect((await client.send(request("GET /")).response()).status).toBe(200);
  await using third = await connect();
  await third.send(request("GET /")).ending();
  expect(sink.lines.join()).toContain("there are 2 already, which is this worker's part of the 3 of maxConns");
});

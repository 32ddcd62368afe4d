import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { defineHandlet } from "../kinds.ts";

const { bootText } = bootWith([]);
const log = openErrorLog({ sink: new MemorySink() });

const tell = defineHandlet({
  sign: "tell",
  create: ({ owner }) => ({
    handle(_req, resp) {
      resp.send(owner.webapp.settings.get("greeting") ?? "nothing");
      return true;
    },
  }),
});

test("settings reach a handlet, whether it stands in the webapp or in a rule", async () => {
  await using stage = await bootText(
    `stage {
      webapp "a" {
        .hostnames = ("*")
        .settings = ["greeting": "good day"]
        tell "named" {}
        rule $path == "/named" { .handlets = ("named") }
        rule { tell {} }
      }
      httpxServer "s" { .webapps = ("a") .address = "localhost:0" }
    }`,
    { log, use: [pack("test", [tell])] },
  );
  await stage.start();
  expect((await stage.inject({ url: "/named" })).text).toBe("good day");
  expect((await stage.inject({ url: "/inline" })).text).toBe("good day");
});

test("limits of a server may be set for all servers of the stage", async () => {
  await using stage = await bootText(
    `stage {
      .maxTargetSize = 100
      .idleTimeout = 1s
      webapp "a" { .hostnames = ("*") rule { .returnText = "x" } }
      httpxServer "s" { .webapps = ("a") .address = "127.0.0.1:0" }
    }`,
    { log },
  );
  await stage.start();
  expect((await stage.inject({ url: "/" })).status).toBe(200);
});

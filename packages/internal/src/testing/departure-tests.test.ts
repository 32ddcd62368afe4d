import { once } from "node:events";
import { open } from "node:fs/promises";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { bootWith, defineAddon, pack } from "../index.ts";
import { departureTests } from "./departure-tests.ts";

const held: unknown[] = [];

/** Leaves behind what its name says. */
const careless = defineAddon({
  sign: "careless",
  create: ({ name }) => ({
    async prepare() {
      await Promise.resolve();
      if (name === "timer") setInterval(() => {}, 100_000).unref();
      if (name === "socket") {
        const server = createServer().listen(0, "127.0.0.1").unref();
        held.push(server);
        await once(server, "listening");
      }
      if (name === "file") held.push(await open(import.meta.filename));
    },
  }),
});

/** Closes what it has opened. */
const careful = defineAddon({
  sign: "careful",
  create() {
    let timer: NodeJS.Timeout | undefined;
    return {
      prepare() {
        timer = setInterval(() => {}, 100_000);
      },
      shutdown: () => clearInterval(timer),
    };
  },
});

const boot = bootWith([pack("test", [careless, careful])]).bootText;
const testsOf = (addon: string) => departureTests({ boot, present: `stage { ${addon} }`, absent: "stage {}" });

describe("a component that closes what it has opened passes", () => {
  test.each(testsOf('careful "one" {}'))("$name", ({ run }) => run());
});

test.each([
  ["timer", /careless\.timer.*a timer, at .*departure-tests\.test\.ts:\d+/s],
  ["socket", /careless\.socket.*a listening socket/s],
  ["file", /departure-tests\.test\.ts/],
])("a component that leaves a %s behind fails, with its path and its line of code", async (name, message) => {
  for (const { run } of testsOf(`careless "${name}" {}`)) await expect(async () => run()).rejects.toThrow(message);
});

describe("the core's own servers, backends and webapps leave nothing", () => {
  const site = `webapp "a" { .hostnames = ("*") rule { .returnText = "a" } }`;
  const present = `stage {
    ${site}
    http1Backend "b" { .nodes = (["address": "127.0.0.1:1"]) .healthCheck = "tcp" .healthInterval = 20ms }
    httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" }
  }`;
  test.each(departureTests({ boot, present, absent: `stage { ${site} }` }))("$name", ({ run }) => run());
});

// Services whose bundlets change while they are served.

import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { pack } from "../component/pack.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { numbers, numbersService } from "../testing/rpc/numbers-service.ts";
import { defineService, type ServicePart } from "./kinds.ts";
import { implement, type ServedBundlet } from "./served-bundlet.ts";

/** Looks like `numbersService`, but is another one. */
function impostor(): ServedBundlet {
  const none = (): never => {
    throw new Error("not called here");
  };
  return implement(numbers, { double: () => ({ n: 666 }), increment: none, count: none, sum: none, echo: none });
}

test("a service that gets a bundlet of another service's name later does not get its calls", async () => {
  const late = { bundlets: [] as ServedBundlet[], changed: (): void => undefined };
  const first = defineService({ sign: "firstService", create: () => ({ bundlets: [numbersService()] }) });
  const second = defineService({
    sign: "secondService",
    create: (): ServicePart => ({
      get bundlets() {
        return late.bundlets;
      },
      onChange(changed) {
        late.changed = changed;
        return () => undefined;
      },
    }),
  });
  const sink = new MemorySink();
  const stage = await bootWith([pack("test", [first, second])]).bootText(
    `stage {
      firstService "first" {}
      secondService "second" {}
      webapp "site" { .hostnames = ("*") rule { rpcHandlet { .services = ("first", "second") } } }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink, level: "debug" }) },
  );
  await stage.start();
  try {
    const double = async (): Promise<string> => {
      const headers = { "content-type": "application/json" };
      return (await stage.inject({ method: "POST", url: "/test.Numbers/double", headers, content: '{"n":2}' })).text;
    };
    expect(await double()).toBe('{"n":4}');
    late.bundlets = [impostor()];
    late.changed();
    expect(await double()).toBe('{"n":4}');
    expect(sink.lines.join("\n")).toContain('the services "first" and "second" both have a bundlet test.Numbers');
  } finally {
    await stage.quit(1000);
  }
});

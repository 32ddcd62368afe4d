import { context, trace, type SpanContext } from "@opentelemetry/api";
import { bootWith, defineHandlet, MemorySink, openErrorLog, pack } from "@hemi/internal";
import { expect, test } from "vitest";
import { HemiContextManager } from "./context.ts";
import contrib from "./index.ts";
import { startCollector } from "./testing/collector.ts";

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const own = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 };

/** Runs `act` for a request, some turns of the event loop after it has come, and returns the spans of the request. */
async function inRequest(act: () => void, props = ".traceInContext = true") {
  await using collector = await startCollector();
  const acting = defineHandlet({
    sign: "acting",
    create: () => ({
      async handle(_req, resp) {
        await new Promise((resolve) => setImmediate(resolve));
        act();
        resp.send("done");
        return true;
      },
    }),
  });
  {
    await using stage = await bootWith([contrib]).bootText(
      `stage {
        otel "collector" { .endpoint = "${collector.url}" .interval = 10ms }
        webapp "shop" {
          .hostnames = ("*") .traceTo = "collector" .tracesPerMillion = 1000000 ${props}
          rule { acting {} }
        }
        httpxServer "main" { .webapps = ("shop") .address = "127.0.0.1:0" }
      }`,
      { log: openErrorLog({ sink: new MemorySink() }), use: [pack("test", [acting])] },
    );
    await stage.start();
    const { status } = await stage.inject({ url: "/", headers: { traceparent, tracestate: "a=1" } });
    expect(status).toBe(200);
  }
  return collector.spans;
}

test("the active span of an app is the handlet that runs it, unless the app has one of its own", async () => {
  const manager = new HemiContextManager();
  context.setGlobalContextManager(manager);
  const seen: (SpanContext | undefined)[] = [];
  const look = () => seen.push(trace.getSpanContext(context.active()));
  try {
    const spans = await inRequest(() => {
      look();
      context.with(trace.setSpanContext(context.active(), own), look);
      context.bind(trace.setSpanContext(context.active(), own), look)();
      look();
    });
    look();
    const handlet = spans.find(({ name }) => name.endsWith("/acting"));
    const active = expect.objectContaining({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: handlet?.spanId,
      traceFlags: 1,
    }) as SpanContext;
    expect(seen).toEqual([active, own, own, active, undefined]);
    expect(seen[0]?.traceState?.serialize()).toBe("a=1");
  } finally {
    context.disable();
  }
});

test("without traceInContext, an app has no active span but its own", async () => {
  context.setGlobalContextManager(new HemiContextManager());
  try {
    let active: SpanContext | undefined = own;
    await inRequest(() => (active = trace.getSpanContext(context.active())), "");
    expect(active).toBeUndefined();
  } finally {
    context.disable();
  }
});

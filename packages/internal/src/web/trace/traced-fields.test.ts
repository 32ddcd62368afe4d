import { expect, test } from "vitest";
import { ListedFields } from "../../http/fields.ts";
import { Trace } from "../../operator/trace.ts";
import { TracedFields } from "./traced-fields.ts";

const received = new ListedFields(["accept", "*/*", "traceparent", "of the client", "tracestate", "a=1"]);

function traced() {
  let made = 0;
  const host = {
    sink: { takeSpan: () => undefined },
    clock: { now: () => 0, monotonic: () => 0 },
    nameOf: () => "Error",
  };
  const request = {
    get trace(): Trace {
      made++;
      return new Trace(host, false, undefined);
    },
  };
  return { fields: new TracedFields(received, request), made: () => made };
}

test("a request that passes nothing on gets no ids, whichever other fields of it are read", () => {
  const { fields, made } = traced();
  expect(fields.get("Accept")).toBe("*/*");
  expect(fields.getAll("accept")).toEqual(["*/*"]);
  expect(fields.has("accept") && !fields.has("if-none-match")).toBe(true);
  expect(made()).toBe(0);
});

test("what is passed on has the trace context of this server in place of the client's", () => {
  const { fields, made } = traced();
  const list = [...fields];
  expect(list.map(([name]) => name)).toEqual(["accept", "traceparent"]);
  expect(fields.get("Traceparent")).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
  expect(list[1]?.[1]).toBe(fields.get("traceparent"));
  expect([fields.count, fields.has("tracestate")]).toEqual([2, false]);
  expect(made()).toBe(1);
});

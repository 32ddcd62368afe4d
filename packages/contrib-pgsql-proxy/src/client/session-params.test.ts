import { expect, test } from "vitest";
import { readStartup, startupMessage } from "../protocol/startup.ts";
import type { ServerConn } from "../server/server-conn.ts";
import { SessionParams } from "./session-params.ts";

/** As much of a server as parameters need. */
function serverWith(params: Readonly<Record<string, string>>) {
  const reported = new Map(Object.entries(params));
  const names = new Set([...reported.keys()].map((name) => name.toLowerCase()));
  const others = new Map<string, string | undefined>();
  return {
    ...{ params: reported, defaults: new Map(reported), reported: names, others, isDirty: false },
  } as unknown as ServerConn;
}

test("a parameter cannot end its literal in any encoding of the server", () => {
  const params = new SessionParams(new Map([["application_name", "\u30bd'\\'; DROP TABLE t --"]]));
  const query = params.difference(serverWith({ application_name: "" }))?.toString("latin1", 5);
  expect(query).toBe(
    "SELECT pg_catalog.set_config(E'application_name', " +
      "E'\\U000030bd\\U00000027\\U0000005c\\U00000027; DROP TABLE t --', false)\0",
  );
});

test("what a client begins with is set once at a server, and taken away for the next client", () => {
  const server = serverWith({ TimeZone: "UTC" });
  const first = new SessionParams(new Map([["search_path", "shop"]]));
  expect(first.difference(server)?.toString()).toContain("(E'search_path', E'shop', false)");
  expect(first.difference(server)).toBeUndefined();
  const next = new SessionParams(new Map());
  expect(next.difference(server)?.toString()).toContain("(E'search_path', NULL, false)");
  expect(next.difference(server)).toBeUndefined();
});

test.each([
  ["statement_timeout", "1", true],
  ["statement_timeout", "0.5s", true],
  ["transaction_timeout", "900ms", true],
  ["idle_session_timeout", "0x10", true],
  ["statement_timeout", "0", false],
  ["statement_timeout", "30s", false],
  ["statement_timeout", "30000", false],
  ["work_mem", "1", false],
])("a server with so short a limit is cleaned before the next client has it: %s=%s", (name, value, isDirty) => {
  const server = serverWith({});
  new SessionParams(new Map([[name, value]])).difference(server);
  expect(server.isDirty).toBe(isDirty);
});

test("the options of a first message are parameters, and others than those that set one are refused", () => {
  const paramsOf = (options: string) => {
    const { startup } = readStartup(startupMessage("ann", "shop", new Map([["options", options]]))) ?? {};
    return startup?.kind === "session" ? Object.fromEntries(startup.params) : undefined;
  };
  expect(paramsOf("-c search_path=a\\ b -cwork_mem=1MB --statement-timeout=5s")).toEqual({
    ...{ search_path: "a b", work_mem: "1MB", statement_timeout: "5s" },
  });
  for (const options of ["-f /etc/passwd", "-c", "-c x", "shop"])
    expect(() => paramsOf(options)).toThrow("options that");
});

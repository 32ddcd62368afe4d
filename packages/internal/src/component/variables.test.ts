import { describe, expect, test } from "vitest";
import { variableTable } from "./variables.ts";

describe("variableTable", () => {
  const table = variableTable<{ readonly method: string; readonly fields: Readonly<Record<string, string>> }>(
    { method: ({ method }) => method, header_host: () => "exact" },
    { header_: (rest) => (subject) => subject.fields[rest.replaceAll("_", "-")] ?? "" },
  );
  const subject = { method: "GET", fields: { "user-agent": "curl", host: "family" } };

  test("names plain variables, then families by their prefix", () => {
    expect(table.names).toEqual(["method", "header_host", "header_"]);
  });

  test.each([
    ["method", "GET"],
    ["header_user_agent", "curl"],
    ["header_none", ""],
    ["header_host", "exact"],
  ])("reads $%s", (name, value) => {
    expect(table.find(name)?.(subject)).toBe(value);
  });

  test.each(["", "Method", "header_", "header", "toString", "__proto__"])("has no $%s", (name) => {
    expect(table.find(name)).toBeUndefined();
  });
});

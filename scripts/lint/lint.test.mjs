// The linter holds the architecture: each of its own rules fires where it should, and is switched on where it should
// be.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ESLint, Linter } from "eslint";
import tseslint from "typescript-eslint";
import { describe, expect, test } from "vitest";
import { root } from "../workspace.mjs";
import { arrowsRule } from "./arrows-rule.mjs";
import { namesRule } from "./names-rule.mjs";
import { exceptions, floors, whyNot } from "./rooms.mjs";
import { roomsRule } from "./rooms-rule.mjs";

/** The messages of our own rules about `code`, if it stood in `file`. */
function lint(file, code) {
  const config = {
    files: ["**/*.ts"],
    languageOptions: { parser: tseslint.parser },
    plugins: { hemi: { rules: { arrows: arrowsRule, rooms: roomsRule, names: namesRule } } },
    rules: { "hemi/arrows": "error", "hemi/rooms": "error", "hemi/names": "error" },
  };
  return new Linter({ cwd: root }).verify(code, config, join(root, file)).map(({ message }) => message);
}

describe("an import against the arrows is refused, with the reason", () => {
  test.each([
    ["packages/common/src/a.ts", 'import "@hemi/internal";', "would make sense in a project without Hemi"],
    ["packages/internal/src/a.ts", 'import { x } from "@hemi/hemi";', "stands on @hemi/common alone"],
    ["packages/internal/src/a.ts", 'export * from "@hemi/contrib-handlets";', "stands on @hemi/common alone"],
    ["packages/internal/src/a.ts", 'export { x } from "@hemi/procman";', "stands on @hemi/common alone"],
    ["packages/internal/src/a.ts", 'type X = import("@hemi/hemi").X;', "stands on @hemi/common alone"],
    ["packages/contrib-redis/src/a.ts", 'import type { X } from "@hemi/contrib-handlets";', "no other contrib"],
    ["packages/contrib-redis/src/a.ts", 'await import("@hemi/hemi");', "no other contrib"],
    ["packages/hemi/src/a.ts", 'import "@hemi/procman";', "knows nothing of the programs"],
    ["packages/procman/src/a.ts", 'import "@hemi/internal";', "@hemi/hemi and @hemi/common"],
    ["packages/hemi/src/a.ts", 'import "../../internal/src/stage/stage.ts";', "leaves the package"],
    ["packages/hemi/src/a.ts", 'import "@hemi/internal/src/stage/stage.ts";', "goes past the public entry"],
    ["packages/hemi/src/a.ts", 'import "@hemi/hemi";', "this very package"],
  ])("%s: %s", (file, code, reason) => {
    expect(lint(file, code)).toEqual([expect.stringContaining(reason)]);
  });
});

describe("an import along the arrows is fine", () => {
  test.each([
    ["packages/common/src/a.ts", 'import "node:fs"; import "./b.ts";'],
    ["packages/internal/src/net/a.ts", 'import "@hemi/common"; import "../errors/b.ts"; import "lru-cache";'],
    ["packages/contrib-redis/src/a.ts", 'import "@hemi/internal"; import "@hemi/common";'],
    ["packages/hemi/src/a.ts", 'import "@hemi/internal"; import "@hemi/contrib-handlets";'],
    ["packages/procman/src/a.ts", 'import "@hemi/hemi";'],
    ["packages/develop/src/a.ts", 'import "@hemi/procman"; import "@hemi/internal";'],
    ["examples/welcome/a.ts", 'import "@hemi/hemi";'],
  ])("%s: %s", (file, code) => {
    expect(lint(file, code)).toEqual([]);
  });
});

describe("an import from a room to one above or beside it is refused, with the reason", () => {
  const house = "packages/internal/src";
  test.each([
    [
      "component/a.ts",
      'import { x } from "../stage/b.ts";',
      "component must not import stage, which is above it: the component",
    ],
    ["component/a.ts", 'import type { X } from "../web/b.ts";', "component must not import web, which is above it"],
    ["component/props/a.ts", 'export * from "../../net/b.ts";', "component must not import net"],
    [
      "stage/a.ts",
      'type X = import("../web/explain/b.ts").X;',
      "stage must not import web, which is above it: a stage leads",
    ],
    ["http1/a.ts", 'import "../http2/b.ts";', "http1 must not import http2, which is beside it: a codec knows"],
    ["http2/a.ts", 'import "../web/b.ts";', "http2 must not import web"],
    [
      "web/proxy/a.ts",
      'await import("../../http1/b.ts"); await import("../../httpx/b.ts");',
      "web must not import httpx",
    ],
    ["fixtures/a.ts", 'import "../net/b.ts";', "fixtures must not import net, which is beside it"],
    ["backend/a.ts", 'import "../index.ts";', "backend must not import index.ts"],
    ["web/a.ts", 'import { x } from "../testing/b.ts";', "web must not import testing, which is above it"],
    ["parlour/a.ts", 'import "../net/b.ts";', "parlour has no place among the rooms"],
    ["net/a.ts", 'import "../parlour.ts";', "parlour.ts has no place among the rooms"],
  ])("%s: %s", (file, code, reason) => {
    expect(lint(`${house}/${file}`, code)).toEqual([expect.stringContaining(reason)]);
  });

  test.each([
    [
      "web/proxy/a.ts",
      'import "../request/b.ts"; import "../../stage/b.ts"; import type { X } from "../../http/b.ts";',
    ],
    ["fcgi/a.ts", 'import "../cgi/b.ts";'],
    ["httpx/a.ts", 'import "../http1/b.ts"; import "../web/b.ts"; import "node:net";'],
    ["boot.ts", 'import "./kinds.ts"; import "./stage.ts"; import "./stage/b.ts";'],
    ["index.ts", 'export * from "./errors/b.ts"; export * from "./boot.ts";'],
    ["net/a.test.ts", 'import "../web/b.ts"; import "../testing/b.ts";'],
    ["testing/a.ts", 'import "../boot.ts"; import "../http1/b.ts";'],
    ["testing.ts", 'export * from "./testing/b.ts";'],
  ])("one down the stairs is fine: %s: %s", (file, code) => {
    expect(lint(`${house}/${file}`, code)).toEqual([]);
  });

  test("ARCHITECTURE.md has the rooms that there are, on their floors", () => {
    const rows = readFileSync(join(root, "ARCHITECTURE.md"), "utf8").matchAll(/^\| (\d+) +\| `([^`]+)`/gm);
    const built = floors.flatMap((floor, height) => Object.keys(floor).map((room) => `${height} ${room}`));
    const existing = built.filter((row) => existsSync(join(root, house, row.replace(/^\d+ /, ""))));
    expect([...rows].map(([, height, room]) => `${height} ${room}`)).toEqual(existing);
  });

  test.each([...exceptions.keys()])("the exception %s is one, and is to go when nothing needs it", (arrow) => {
    const [from = "", to = ""] = arrow.split(" ");
    expect(whyNot(from, to)).toBeDefined();
    expect(lint(`${house}/${from}`, "export {};")).toContainEqual(expect.stringContaining(`the exception "${arrow}"`));
  });
});

test.each(["packages/internal/src/utils.ts", "packages/common/src/helpers/text.ts", "packages/hemi/src/net-misc.ts"])(
  "the name %s is refused",
  (file) => {
    expect(lint(file, "export {};")).toEqual([expect.stringContaining("names nothing")]);
  },
);

test("our rules are on everywhere, and libraries may neither print nor end the process", async () => {
  const eslint = new ESLint({ cwd: root });
  const library = await eslint.calculateConfigForFile("packages/contrib-redis/src/a.ts");
  const program = await eslint.calculateConfigForFile("packages/procman/src/a.ts");
  const severities = (config, rules) => rules.map((rule) => config.rules[rule]?.[0] ?? 0);

  const everywhere = [
    "hemi/arrows",
    "hemi/rooms",
    "hemi/names",
    "@typescript-eslint/no-explicit-any",
    "@typescript-eslint/no-floating-promises",
  ];
  expect(severities(library, everywhere)).toEqual([2, 2, 2, 2, 2]);
  expect(severities(program, everywhere)).toEqual([2, 2, 2, 2, 2]);
  expect(severities(library, ["no-console", "no-restricted-properties"])).toEqual([2, 2]);
  expect(severities(program, ["no-console", "no-restricted-properties"])).toEqual([0, 0]);
});

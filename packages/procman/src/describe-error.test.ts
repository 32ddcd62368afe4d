import { bootText, defineHandlet, type HandletPart, HemiError, MemorySink, openErrorLog, pack } from "@hemi/hemi";
import { expect, test } from "vitest";
import { describeError } from "./describe-error.ts";

const here = "describe-error.test.ts";

/** What is told of a stage with this handlet, when it is booted and started. */
async function toldOf(create: () => HandletPart): Promise<string> {
  const app = defineHandlet({ sign: "app", create });
  const text =
    'stage { webapp "a" { .hostnames = ("*") rule { app {} } } httpxServer "s" { .address = "127.0.0.1:0" } }';
  const log = openErrorLog({ sink: new MemorySink() });
  try {
    await using stage = await bootText(text, { use: [pack("my-app", [app])], log });
    await stage.start();
  } catch (error) {
    return describeError(error);
  }
  return "";
}

function fail(): never {
  throw new TypeError("there is no such thing");
}

function refuse(): never {
  throw new HemiError("HEMI_USAGE", "the database is empty: run the migrations");
}

const handle = (): boolean => true;

test.each<[done: string, create: () => HandletPart]>([
  ["created", () => fail()],
  ["prepared", () => ({ prepare: () => fail(), handle })],
  ["prepared", () => ({ prepare: () => Promise.resolve().then(() => fail()), handle })],
  ["started", () => ({ start: () => fail(), handle })],
])(
  "a component whose code fails when it is %s is told with the lines of its stack, and no others",
  async (done, create) => {
    const [first, ...frames] = (await toldOf(create)).split("\n");
    expect(first).toBe(`hemi: webapp.a/rule/app could not be ${done}: there is no such thing`);
    expect(frames[0]).toMatch(new RegExp(`^    at fail \\(.*${here}:\\d+:\\d+\\)$`));
    expect(frames.filter((frame) => !frame.includes(here))).toEqual([]);
  },
);

test("an error that a component has worded itself is told in one line", async () => {
  expect(await toldOf(() => ({ prepare: () => refuse(), handle }))).toBe(
    "hemi: webapp.a/rule/app could not be prepared: the database is empty: run the migrations",
  );
});

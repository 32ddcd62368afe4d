// What contribs need of each other without importing each other: one asks for a capability, another offers it.

import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { capability } from "../component/capability.ts";
import { pack } from "../component/pack.ts";
import type { Part } from "../component/part.ts";
import { prop } from "../component/prop.ts";
import { addonKind, defineAddon } from "./kinds/addon.ts";
import { defineCronjob } from "./kinds/cronjob.ts";

interface LockService {
  lock(name: string): string;
}
const locks = capability<LockService>("lock-service");

const fileLocks = defineAddon({
  sign: "fileLocks",
  offers: [locks],
  create: ({ name }) => ({ lock: (what: string) => `${what} in a file of ${name}` }),
});
/** Of a package that has the capability from another copy of the engine: it is the same by its key. */
const redisLocks = defineAddon({
  sign: "redisLocks",
  offers: [capability<LockService>("lock-service")],
  create: () => ({ lock: (what: string) => `${what} in Redis` }),
});
const job = defineCronjob({
  sign: "job",
  props: { locks: prop.reference(addonKind, { offering: locks, required: true }) },
  create: ({ props }): Part & { run(): string } => ({ run: () => props.locks.current.lock("it") }),
});
const use = [pack("@test/locks", [fileLocks, redisLocks, job])] as const;
const { bootTree } = bootWith([]);

const stageWith = (sign: "fileLocks" | "redisLocks") =>
  ({
    sign: "stage",
    children: [
      { sign, name: "it" },
      { sign: "job", name: "nightly", props: { locks: "it" } },
    ],
  }) as const;

test("who asks for a capability uses any component that offers it, and another one after a reload", async () => {
  await using stage = await bootTree(stageWith("fileLocks"), { use });
  await stage.start();
  const { part } = stage.component("job.nightly");
  expect(part.run()).toBe("it in a file of it");
  await stage.reload({ object: stageWith("redisLocks") });
  expect(stage.component("job.nightly").part).toBe(part);
  expect(part.run()).toBe("it in Redis");
});

test("a stage finds its components by what they offer", async () => {
  await using stage = await bootTree(
    { sign: "stage", children: [...stageWith("redisLocks").children, { sign: "fileLocks", name: "spare" }] },
    { use },
  );
  expect(stage.offering(locks).map(({ path, part }) => `${path}: ${part.lock("x")}`)).toEqual([
    "redisLocks.it: x in Redis",
    "fileLocks.spare: x in a file of spare",
  ]);
  expect(stage.offering(capability<LockService>("other"))).toEqual([]);
});

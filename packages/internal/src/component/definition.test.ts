import { describe, expectTypeOf, test } from "vitest";
import { definer } from "../stage/definer.ts";
import { capability } from "./capability.ts";
import { kind, shape } from "./kind.ts";
import { pack } from "./pack.ts";
import type { Pack } from "./pack.ts";
import type { Part } from "./part.ts";
import { prop } from "./prop.ts";
import type { Address, AddressSet } from "./props/addresses.ts";
import type { Module } from "./props/files.ts";
import type { Reference } from "./reference.ts";
import type { Template } from "./template.ts";

interface Response {
  send(text: string): void;
}
interface HandletPart extends Part {
  handle(req: object, resp: Response): boolean | Promise<boolean>;
}
interface WebappPart extends Part {
  readonly hostnames: readonly string[];
}

const handletKind = kind({
  name: "handlet",
  rank: 4,
  standsIn: [{ owner: "webapp", naming: "required" }],
  part: shape<HandletPart>(),
  owner: shape<WebappPart>(),
});
const defineHandlet = definer(handletKind);

interface LockService {
  lock(name: string): boolean;
}
interface CountService {
  count(name: string): number;
}
const locks = capability<LockService>("lock-service");
const counts = capability<CountService>("count-service");

describe("definer", () => {
  test("types props, parameters and owner from the schema and the kind", () => {
    defineHandlet({
      sign: "hello",
      props: {
        /** What is sent, as UTF-8. */
        text: prop.string({ default: "hello, world!" }),
      },
      create: ({ props, owner }) => ({
        handle(_req, resp) {
          expectTypeOf(owner).toEqualTypeOf<WebappPart>();
          expectTypeOf(props.text).toEqualTypeOf<string>();
          resp.send(props.text);
          return true;
        },
      }),
    });
  });

  test("needs no props", () => {
    const bare = defineHandlet({ sign: "bare", create: () => ({ handle: () => false }) });
    expectTypeOf(bare.sign).toEqualTypeOf<"bare">();
    expectTypeOf(bare.kind.name).toEqualTypeOf<"handlet">();
  });

  test("keeps the type of what create returns", () => {
    const counting = defineHandlet({ sign: "counting", create: () => ({ handle: () => true, count: 3 }) });
    expectTypeOf(counting.create).returns.toHaveProperty("count").toEqualTypeOf<number>();
  });

  test("refuses a part that lacks what its kind asks for", () => {
    // @ts-expect-error: there is no `handle`
    defineHandlet({ sign: "broken", create: () => ({}) });
  });

  test("refuses a part that lacks what it says that it offers", () => {
    defineHandlet({ sign: "lock", offers: [locks], create: () => ({ handle: () => true, lock: () => true }) });
    // @ts-expect-error: there is no `lock`
    defineHandlet({ sign: "broken", offers: [locks], create: () => ({ handle: () => true }) });
    // @ts-expect-error: there is a `lock`, but no `count`
    defineHandlet({ sign: "half", offers: [locks, counts], create: () => ({ handle: () => true, lock: () => true }) });
  });

  test("a reference has the type of its kind and of the capability that it asks for", () => {
    defineHandlet({
      sign: "locked",
      props: {
        by: prop.reference(handletKind, { offering: locks, required: true }),
        counted: prop.reference(handletKind, { offering: counts }),
      },
      create({ props }) {
        expectTypeOf(props.by).toEqualTypeOf<Reference<HandletPart & LockService>>();
        expectTypeOf(props.counted).toEqualTypeOf<Reference<HandletPart & CountService> | undefined>();
        return { handle: () => props.by.current.lock("it") };
      },
    });
  });

  test("a prop without default and not required may be undefined, of every type", () => {
    defineHandlet({
      sign: "all",
      props: {
        bool: prop.bool(),
        integer: prop.integer({ min: 1, required: true }),
        size: prop.size({ default: "64K", max: "1M" }),
        duration: prop.duration({ default: 5000, inherited: true, reload: "live" }),
        strings: prop.strings({ default: [], aliases: ["texts"] }),
        choice: prop.choice(["a", "b"], { default: "a" }),
        record: prop.record({ address: prop.address({ required: true }), weight: prop.integer() }),
        list: prop.list(prop.size(), { required: true }),
        dict: prop.dict(prop.bool(), { default: {} }),
        address: prop.address({ required: true }),
        addresses: prop.addresses({ default: [] }),
        path: prop.path({ default: "web" }),
        hostnames: prop.hostnames(),
        template: prop.template({ default: "" }),
        module: prop.module({ required: true }),
        reference: prop.reference(handletKind),
        references: prop.list(prop.reference(handletKind), { default: [] }),
      },
      create({ props }) {
        expectTypeOf(props).toEqualTypeOf<{
          readonly bool: boolean | undefined;
          readonly integer: number;
          readonly size: number;
          readonly duration: number;
          readonly strings: readonly string[];
          readonly choice: "a" | "b";
          readonly record: { readonly address: Address; readonly weight: number | undefined } | undefined;
          readonly list: readonly number[];
          readonly dict: ReadonlyMap<string, boolean>;
          readonly address: Address;
          readonly addresses: AddressSet;
          readonly path: string;
          readonly hostnames: readonly string[] | undefined;
          readonly template: Template;
          readonly module: Module;
          readonly reference: Reference<HandletPart> | undefined;
          readonly references: readonly Reference<HandletPart>[];
        }>();
        return { handle: () => true };
      },
    });
  });

  test("refuses a default of the wrong type, and a bound that the type does not have", () => {
    // @ts-expect-error: a size is no duration
    prop.duration({ default: "64K" });
    // @ts-expect-error: not one of the words
    prop.choice(["a", "b"], { default: "c" });
    // @ts-expect-error: a bool has no bounds
    prop.bool({ min: 1 });
    // @ts-expect-error: either there is a default or it is required
    prop.bool({ default: true, required: true });
  });
});

describe("pack", () => {
  test("takes definitions of any schema and keeps their types", () => {
    const one = defineHandlet({
      sign: "one",
      props: { size: prop.size({ default: 1 }) },
      create: () => ({ handle: () => true }),
    });
    const two = defineHandlet({ sign: "two", create: () => ({ handle: () => true }) });
    const both = pack("@hemi/both", [one, two]);
    expectTypeOf(both.definitions[1].sign).toEqualTypeOf<"two">();
    expectTypeOf(both).toExtend<Pack>();
  });
});

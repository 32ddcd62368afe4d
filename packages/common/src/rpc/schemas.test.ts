import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { schemaMessage } from "./schema-message.ts";

const libraries = {
  zod: schemaMessage(z.object({ sku: z.string().min(2), count: z.number().default(1) })),
  valibot: schemaMessage(v.object({ sku: v.pipe(v.string(), v.minLength(2)), count: v.optional(v.number(), 1) })),
  arktype: schemaMessage(type({ sku: "string >= 2", count: "number = 1" })),
};

describe.each(Object.entries(libraries))("a schema of %s", (name, message) => {
  test("gives the valid message, with defaults", () => {
    expect(message.check({ sku: "ab" })).toEqual({ sku: "ab", count: 1 });
  });

  test("refuses an invalid message with the member that is wrong", () => {
    expect(() => message.check({ sku: 1 })).toThrow(
      expect.objectContaining({ code: "invalid_argument", message: expect.stringMatching(/sku/) as unknown }) as Error,
    );
  });

  test.skipIf(name === "valibot")("has a JSON Schema", () => {
    expect(message.jsonSchema("input")).toMatchObject({ type: "object", required: ["sku"] });
  });
});

test("a message that JSON cannot hold is refused", () => {
  expect(() => libraries.zod.stringify(undefined)).toThrow(TypeError);
});

test("a schema that checks asynchronously gives a promise", async () => {
  const message = schemaMessage(z.string().refine((text) => Promise.resolve(text === "yes")));
  expect(await message.check("yes")).toBe("yes");
  await expect(message.check("no")).rejects.toMatchObject({ code: "invalid_argument" });
});

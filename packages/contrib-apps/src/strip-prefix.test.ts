// Apps below a prefix that they are not told of.

import { describe, expect, test } from "vitest";
import { serve } from "./testing/serve.ts";

describe.each([
  ["nodeHandlet", 'nodeHandlet { .module = "express-app.ts" .stripPrefix = "/shop" }'],
  ["fetchHandlet", 'fetchHandlet { .module = "fetch-app.ts" .stripPrefix = "/shop" }'],
  ["light requests", 'fetchHandlet { .module = "fetch-app.ts" .stripPrefix = "/shop" .overrideGlobalObjects = true }'],
])("%s", (_name, handlet) => {
  const isExpress = handlet.startsWith("node");

  test("asks the app for the path without the prefix", async () => {
    await using site = await serve(handlet);
    const { text } = await site.ask({ url: isExpress ? "/shop/users/7?q=1" : "/shop/what?q=1" });
    const told: unknown = JSON.parse(text);
    if (isExpress) expect(told).toMatchObject({ id: "7", query: { q: "1" }, url: "/shop/users/7?q=1" });
    else expect(told).toMatchObject({ is: true, url: expect.stringMatching(/^http:\/\/[^/]+\/what\?q=1$/) });
  });

  test.each(["/what", "/users/7", "/shopping/what", "/"])("leaves %s to the next rule", async (url) => {
    await using site = await serve(handlet);
    expect((await site.ask({ url })).text).toBe("next");
  });
});

// Which backends a proxy may name: a mistake of the configuration is found before anything is created.

import { expect, test } from "vitest";
import { defineBackend } from "../../backend/kind.ts";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { webBackend } from "../../http/web-backend.ts";

/** A backend of somebody else's, that passes requests on and opens no tunnels. */
const echoBackend = defineBackend({
  sign: "echoBackend",
  offers: [webBackend],
  create: () => ({
    stickyCookie: undefined,
    whyNoRetry: () => "there is one node",
    explain: () => ({ chosen: undefined, nodes: new Map() }),
    exchange() {
      throw new Error("nobody asks it here");
    },
  }),
});

/** What is wrong with one handlet or socklet in a stage that has a backend of each sort. */
function mistakesOf(text: string): Promise<string> {
  const booted = bootWith([]).bootText(
    `stage {
      http1Backend "web" { .nodes = (["address": "127.0.0.1:1"]) }
      fcgiBackend "php" { .nodes = (["address": "127.0.0.1:1"]) }
      echoBackend "echo" {}
      webapp "site" { .hostnames = ("*") .webRoot = "." rule { ${text} } }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { use: [pack("@test/backends", [echoBackend])] },
  );
  return booted.then(
    () => "",
    (error: unknown) => String(error),
  );
}

test.each([
  'httpProxy { .toBackend = "web" .mirrorTo = "echo" }',
  'httpProxy { .toBackend = "echo" }',
  'forwardAuth { .toBackend = "echo" } static {}',
  'sockProxy { .toBackend = "web" }',
  'fcgiRelay { .toBackend = "php" }',
])("%s is right", async (text) => {
  expect(await mistakesOf(text)).toBe("");
});

test.each([
  ['httpProxy { .toBackend = "php" }', 'fcgiBackend "php", which does not offer "http-backend"'],
  ['httpProxy { .toBackend = "web" .mirrorTo = "php" }', 'fcgiBackend "php", which does not offer "http-backend"'],
  ['forwardAuth { .toBackend = "php" } static {}', 'fcgiBackend "php", which does not offer "http-backend"'],
  ['sockProxy { .toBackend = "echo" }', 'echoBackend "echo", which does not offer "http-tunnels"'],
  ['fcgiRelay { .toBackend = "web" }', 'http1Backend "web", which does not offer "fastcgi-programs"'],
  ['scgiRelay { .toBackend = "php" }', 'fcgiBackend "php", which does not offer "scgi-programs"'],
])("%s is refused by the check, at the prop", async (text, mistake) => {
  const found = await mistakesOf(text);
  expect(found).toContain(mistake);
  expect(found).toMatch(/<text>:5:\d+ HEMI_CONFIG_REFERENCE/);
});

test("a proxy is told which backends it could name instead", async () => {
  expect(await mistakesOf('httpProxy { .toBackend = "php" }')).toContain(
    'http1Backend "web" and echoBackend "echo" do',
  );
});

// What people who come from other servers are told.

import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import type { Problem } from "../config/problem.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";

async function told(inWebapp: string, inStage = ""): Promise<string> {
  const doubts: Problem[] = [];
  const text = `stage {
    ${inStage}
    webapp "a" { .hostnames = ("*") ${inWebapp} }
    httpxServer "main" { .address = "127.0.0.1:0" }
  }`;
  try {
    const log = openErrorLog({ sink: new MemorySink() });
    await using stage = await bootWith([]).bootText(text, {
      log,
      warned: (found) => doubts.push(...found),
      env: { WHERE: "https://$hostname" },
    });
    return `${stage.state} ${doubts.map(({ message, hint }) => `${message} (${hint})`).join("\n")}`;
  } catch (error) {
    return String(error);
  }
}

test.each([
  ["rule { reverse_proxy {} }", 'write httpProxy { .to = ("127.0.0.1:3081") }'],
  ["location {}", 'write rule $path ^= "/…" { … }'],
  ['.root = "/srv"', "it is .webRoot"],
  ['.server_name = ("a.example")', "it is .hostnames of a webapp"],
  ['rule { redirect "https://a.example" {} }', "it is .returnCode and .returnText of a rule"],
  ['.certificate = "cert.pem"', "it is .tlsCert, with .tlsKey"],
  ["rule $remote_addr == `::1` {}", "write $srcHost"],
  ["rule $http_user_agent == `x` {}", "write $header_user_agent"],
  ["rule { .returnText = $query_string }", "write $queryString, which begins with ?"],
  ["rule $path !D {}", "did you mean !d ?"],
])("%s: %s", async (written, hint) => {
  expect(await told(written)).toContain(hint);
});

test("a port and TLS of a server are told where they are", async () => {
  const text = await told("", 'httpxServer "b" { .port = 3080 .tls = true }');
  expect(text).toContain('it is in .address of httpxServer, as in "127.0.0.1:3080" or ":3080"');
  expect(text).toContain("it is .tlsMode of httpxServer, with .tlsCert and .tlsKey of its webapps");
});

test(".toBackend in a webapp without a proxy is told for whom it would be", async () => {
  expect(await told('.toBackend = "app" rule {}')).toMatch(
    /webapp "a" has no property "toBackend"[^]*it is for those inside that inherit it, and there is none: \w+, \w+/,
  );
});

test.each([
  ["a location", 'rule { .returnCode = 301 .returnText = "https://$hostname$uri" }', "$hostname"],
  ["one with a variable, too", 'rule { .returnCode = 301 .returnText = "https://" + $hostname + "$uri" }', "$uri"],
  [
    "a field",
    'rule { httpProxy { .to = ("127.0.0.1:1") .setRequestHeaders = ["x-ip": "$remote_addr"] } }',
    "$remote_addr",
  ],
])("a variable within the quotes of %s is warned of", async (_of, rule, name) => {
  expect(await told(rule)).toMatch(new RegExp(`holds \\${name}, which is sent as it stands`));
});

test.each([
  'rule { .returnText = "it costs $5, or $five" }',
  'rule { .returnText = "$" + "hostname" }',
  'rule { .returnCode = 301 .returnText = "https://" + $hostname + $uri }',
  "rule { .returnCode = 301 .returnText = %env(WHERE) }",
])("nobody is warned of %s", async (rule) => {
  expect(await told(rule)).toBe("created ");
});

test("$serverPort and $requestId are variables of every request", async () => {
  const log = openErrorLog({ sink: new MemorySink() });
  await using stage = await bootWith([]).bootText(
    `stage {
      webapp "a" { .hostnames = ("*") rule { .returnText = $serverPort + " " + $requestId } }
      httpxServer "main" { .address = "127.0.0.1:0" }
    }`,
    { log },
  );
  await stage.start();
  // There is no port without a socket.
  expect((await stage.inject({ url: "/" })).text).toMatch(/^ \w+-\w+-\w+$/);
});

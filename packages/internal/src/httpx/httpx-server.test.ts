import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";

const { bootText } = bootWith([]);
const log = openErrorLog({ sink: new MemorySink() });

const webapps = `
  webapp "one" { .hostnames = ("x.example", "y.example") }
  webapp "two" { .hostnames = ("z.example", "x.example") }`;

test("two webapps of one server with one hostname are a mistake of the configuration", async () => {
  const text = `stage { ${webapps} httpxServer "s" { .webapps = ("one", "two") .address = ":0" } }`;
  await expect(bootText(text, { log })).rejects.toThrow('the hostname "x.example" is that of webapp.one too');
});

test("on two servers they may have it", async () => {
  const text = `stage { ${webapps}
    httpxServer "s" { .webapps = ("one") .address = ":0" }
    httpxServer "t" { .webapps = ("two") .address = ":0" }
  }`;
  await expect(bootText(text, { log })).resolves.toBeDefined();
});

test.each([
  [":3080", ":3080"],
  ["127.0.0.1:3080", "127.0.0.1:3080"],
  [":3080", "127.0.0.1:3080"],
  ["127.0.0.1:3080", ":3080"],
  ["0.0.0.0:3080", "127.0.0.1:3080"],
  ["127.0.0.1:3080", "0.0.0.0:3080"],
  ["0.0.0.0:3080", "[::]:3080"],
  [":3080", "localhost:3080"],
  ["/run/a.sock", "/run/a.sock"],
])("two servers on %s and %s are a mistake of the configuration", async (first, second) => {
  await expect(bootText(serversOn(first, second), { log })).rejects.toThrow(/3080|the address \/run\/a\.sock/);
});

test.each([
  [":0", ":0"],
  ["127.0.0.1:3080", "127.0.0.2:3080"],
  ["127.0.0.1:3080", "[::1]:3080"],
  ["0.0.0.0:3080", "[::1]:3080"],
  [":3080", ":3081"],
])("two servers on %s and %s are none", async (first, second) => {
  await expect(bootText(serversOn(first, second), { log })).resolves.toBeDefined();
});

test("a mistake with addresses names the other server", async () => {
  const text = serversOn("127.0.0.1:3080", ":3080");
  await expect(bootText(text, { log })).rejects.toThrow(
    'httpxServer "t": port 3080 of all addresses: httpxServer "s" has a part of it already',
  );
});

test("a path that no socket can have is a mistake of the configuration", async () => {
  await expect(bootText(serversOn(":0", `/${"x".repeat(120)}`), { log })).rejects.toThrow(
    ".address is too long for the path of a socket",
  );
});

test("ciphers that OpenSSL does not know are a mistake of the configuration", async () => {
  const text = `stage { ${webapps} httpxServer "s" { .webapps = ("one") .address = ":0" .tlsMode = true .tlsCiphers = "ROT13" } }`;
  await expect(bootText(text, { log })).rejects.toThrow(".tlsCiphers cannot be used");
});

function serversOn(first: string, second: string): string {
  return `stage { ${webapps}
    httpxServer "s" { .webapps = ("one") .address = "${first}" }
    httpxServer "t" { .webapps = ("two") .address = "${second}" }
  }`;
}

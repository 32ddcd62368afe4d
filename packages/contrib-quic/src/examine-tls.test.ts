import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootWith } from "@hemi/internal";
import { makeCertificate } from "@hemi/internal/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import contrib from "./index.ts";

let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
beforeAll(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), "hemi-examine-tls-"));
  makeCertificate(folder.path, "usable");
  // A curve that OpenSSL knows, and the library of QUIC does not.
  makeCertificate(folder.path, "unusable", "DNS:localhost", "secp256k1");
});
afterAll(() => folder[Symbol.asyncDispose]());

/** What `hemi check` has to say of a configuration with a certificate; "": nothing. */
async function examine(certificate: string, config: (file: string) => string): Promise<string> {
  await using stage = await bootWith([contrib]).bootText(`stage { ${config(join(folder.path, certificate))} }`);
  return await stage.examine().then(() => "", String);
}

const own = (file: string): string => `.tlsCert = "${file}.crt" .tlsKey = "${file}.key"`;
const webapp = (props: string): string => `webapp "site" { .hostnames = ("*") ${props} rule { .returnText = "" } }`;
const server = (props: string): string => `http3Server "main" { .address = "127.0.0.1:0" ${props} }`;
const backend = (props: string): string => `http3Backend "app" { .nodes = (["address": "127.0.0.1:1"]) ${props} }`;

const ofSite = /: webapp\.site: QUIC cannot use its certificate: /;
const ofServer = /: http3Server\.main: QUIC cannot use its certificate: /;
/** With the position of the prop. */
const forNodes = /<text>:1:\d+ HEMI_CERTIFICATE: \S*unusable\.crt: QUIC cannot use the certificates: /;

test.each([
  ["http3Server.main", "of a webapp", (file) => webapp(own(file)) + server(""), ofSite],
  ["http3Server.main", "of its own", (file) => webapp("") + server(own(file)), ofServer],
  ["http3Backend.app", "of its own", (file) => backend(own(file)), forNodes],
  ["http3Outgate", "of its own", (file) => `http3Outgate { ${own(file)} }`, forNodes],
  ["quicOutgate", "of its own", (file) => `quicOutgate { ${own(file)} }`, forNodes],
] satisfies [string, string, (file: string) => string, RegExp][])(
  "%s: a certificate %s that only QUIC cannot use is found without a start",
  async (component, _whose, config, reason) => {
    const problem = await examine("unusable", config);
    expect(problem).toContain(`${component} could not be used`);
    expect(problem).toMatch(reason);
    expect(await examine("usable", config)).toBe("");
  },
);

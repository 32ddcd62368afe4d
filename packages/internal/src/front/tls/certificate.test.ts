import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { certificateFolder, testAuthority, type CertificateFolder } from "../../testing/certificates.ts";
import { complaintOfAge, coversAny, readAuthorities, readCertificates } from "./certificate.ts";

let folder: CertificateFolder;
let good: { cert: string; key: string };
let other: { cert: string; key: string };

beforeAll(async () => {
  folder = await certificateFolder();
  const authority = await testAuthority();
  good = await authority.issue({ names: ["a.example", "*.b.example", "c.test", "127.0.0.1", "::1"] });
  other = await authority.issue({ names: ["other.example"] });
});
afterAll(() => folder[Symbol.asyncDispose]());

async function read(cert: string, key: string, passphrase?: string) {
  const certs = [await folder.write("x.crt", cert)];
  return await readCertificates({ certs, keys: [await folder.write("x.key", key)], passphrase });
}

function encrypted(key: string): string {
  return String(
    createPrivateKey(key).export({ type: "pkcs8", format: "pem", cipher: "aes-128-cbc", passphrase: "open" }),
  );
}

test("certificate and key may stand in one file", async () => {
  const file = await folder.write("both.pem", good.key + good.cert);
  const [read] = await readCertificates({ certs: [file], keys: [file], passphrase: undefined });
  expect(read?.leaf.subject).toBe("CN=a.example");
});

test("a certificate whose key is not named is refused, with what to set", async () => {
  const file = await folder.write("alone.crt", good.cert);
  const reading = readCertificates({ certs: [file], keys: [file], passphrase: undefined });
  await expect(reading).rejects.toThrow("alone.crt holds a certificate and no private key: set .tlsKey");
});

test("an encrypted key is opened by its passphrase", async () => {
  const [read1] = await read(good.cert, encrypted(good.key), "open");
  expect(read1?.leaf.subject).toBe("CN=a.example");
});

describe("what cannot be used is refused with file and reason", () => {
  test.each<[string, () => [cert: string, key: string, passphrase?: string], RegExp]>([
    ["an empty certificate", () => ["", good.key], /x\.crt holds no certificate in PEM: it is empty$/],
    ["no PEM", () => ["hello", good.key], /x\.crt holds no certificate in PEM$/],
    ["DER", () => [new X509Certificate(good.cert).raw.toString("latin1"), good.key], /x\.crt .*: it is in DER/],
    [
      "swapped files",
      () => [good.key, good.cert],
      /x\.crt .*, but a private key: are \.tlsCert and \.tlsKey swapped\?$/,
    ],
    ["a certificate for a key", () => [good.cert, good.cert], /x\.key .*, but a certificate: are .* swapped\?$/],
    [
      "a broken certificate",
      () => [good.cert.replace(/\n.{9}/, "\nAAAAAAAAA"), good.key],
      /x\.crt is broken: number 1 of/,
    ],
    [
      "a broken key",
      () => [good.cert, good.key.replace(/\n.{9}/, "\nAAAAAAAAA")],
      /x\.key holds a private key that cannot/,
    ],
    ["another key", () => [good.cert, other.key], /x\.crt is the certificate of another key than .*x\.key holds$/],
    ["a wrong order", () => [other.cert + good.cert, good.key], /is number 2 of the file and has to be the first$/],
    ["an encrypted key", () => [good.cert, encrypted(good.key)], /x\.key holds an encrypted key: set \.tlsPassphrase$/],
    [
      "a wrong passphrase",
      () => [good.cert, encrypted(good.key), "x"],
      /x\.key .*, and \.tlsPassphrase does not open it$/,
    ],
  ])("%s", async (_name, make, message) => {
    const error: unknown = await read(...make()).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "HEMI_CERTIFICATE", message: expect.stringMatching(message) as string });
  });

  test("files that are missing, folders, or not to be read", async () => {
    const reading = (file: string) => readCertificates({ certs: [file], keys: [file], passphrase: undefined });
    const at = (name: string) => join(folder.path, name);
    const code = "HEMI_FILE";
    await expect(reading(at("no.crt"))).rejects.toMatchObject({
      code,
      message: `the certificate ${at("no.crt")} cannot be read: there is no such file`,
    });
    await mkdir(at("folder"));
    await expect(reading(at("folder"))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/it is a folder$/) as string,
    });
    if (process.getuid?.() === 0) return;
    await chmod(await folder.write("closed.crt", good.cert), 0);
    await expect(reading(at("closed.crt"))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/may not read it$/) as string,
    });
  });

  test("authorities that are none", async () => {
    const file = await folder.write("ca.pem", good.key);
    await expect(readAuthorities([file])).rejects.toMatchObject({ code: "HEMI_CERTIFICATE" });
  });
});

const day = 24 * 60 * 60 * 1000;

test.each([
  [-10, -1, /has expired, on .*: clients refuse it$/],
  [1, 90, /is not valid before .*: clients refuse it$/],
  [-80, 10.5, /expires on .*, in 10 days$/],
  [-1, 89, undefined],
])("a certificate from day %d to day %d is judged by its age", async (from, to, complaint) => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const issued = await (
    await testAuthority()
  ).issue({
    names: ["a.example"],
    notBefore: new Date(now + from * day),
    notAfter: new Date(now + to * day),
  });
  const [certificate] = await read(issued.cert, issued.key);
  const said = certificate && complaintOfAge(certificate, now);
  if (complaint === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(complaint);
});

test.each([
  ["a.example", true],
  ["www.b.example", true],
  ["*.b.example", true],
  ["c.*", true],
  ["127.0.0.1", true],
  ["[::1]", true],
  ["*", true],
  ["b.example", false],
  ["*.a.example", true],
  ["*.d.example", false],
  ["d.*", false],
  ["127.0.0.2", false],
])("whether a certificate covers %s: %j", async (hostname, isCovered) => {
  expect(coversAny(await read(good.cert, good.key), [hostname])).toBe(isCovered);
});

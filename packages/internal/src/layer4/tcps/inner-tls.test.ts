import { expect, test } from "vitest";
import { certificateFolder } from "../../testing/certificates.ts";
import { innerTlsOf, type InnerTlsSettings } from "./inner-tls.ts";

test("files that cannot be used are refused when they are read, not at the first handshake", async () => {
  await using folder = await certificateFolder();
  const { tlsCert, tlsKey } = await folder.issue("a", {});
  const { tlsKey: otherKey } = await folder.issue("b", {});
  const read = (files: Partial<InnerTlsSettings>): unknown =>
    innerTlsOf({ requireTls: false, serverTls: "verify", serverName: "", ...noFiles, ...files });
  expect(() => read({ serverCa: tlsKey })).toThrow(/holds no certificate in PEM/);
  expect(() => read({ tlsCert, tlsKey: otherKey })).toThrow(/is the certificate of another key/);
  expect(read({ tlsCert, tlsKey, serverCa: tlsCert })).toMatchObject({ server: { mode: "verify" } });
});

const noFiles = { tlsCert: undefined, tlsKey: undefined, serverCa: undefined };

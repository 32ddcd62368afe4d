import { scryptSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { costOf, decoyOf, hashPassword, parsePasswordHash, verifyPassword } from "./password-hash.ts";

const cheap = { ln: 4, r: 8, p: 1 };

describe("hashPassword", () => {
  test("makes a hash that its password, and no other, is right for", async () => {
    const text = await hashPassword("pässwörd: 🔑", cheap);
    expect(text).toMatch(/^\$scrypt\$ln=4,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    const hash = parsePasswordHash(text)!;
    expect(await verifyPassword("pässwörd: 🔑", hash)).toBe(true);
    // As another keyboard types it.
    expect(await verifyPassword("pässwörd: 🔑".normalize("NFD"), hash)).toBe(true);
    for (const wrong of ["", "passwörd: 🔑", "pässwörd: 🔑 "]) expect(await verifyPassword(wrong, hash)).toBe(false);
    expect(await verifyPassword("pässwörd: 🔑", decoyOf(hash))).toBe(false);
  });

  test("makes another hash each time", async () => {
    expect(await hashPassword("a", cheap)).not.toBe(await hashPassword("a", cheap));
  });

  test("costs 32 MiB, three times over, unless told otherwise", async () => {
    expect(await hashPassword("a")).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/);
  });

  test.each([{ ln: 0 }, { ln: 19 }, { ln: 1.5 }, { p: 17 }, { r: 0 }, { ln: 15, r: 128 }])(
    "refuses the cost %j",
    async (cost) => {
      await expect(hashPassword("a", cost)).rejects.toThrow(RangeError);
    },
  );
});

test("a hash that was made elsewhere is right too (RFC 7914 12)", async () => {
  const key = scryptSync("pleaseletmein", "SodiumChloride", 64, { N: 2 ** 14, r: 8, p: 1 });
  expect(key.toString("hex")).toMatch(/^7023bdcb3afd7348/);
  const base64 = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");
  const hash = parsePasswordHash(`$scrypt$ln=14,r=8,p=1$${base64(Buffer.from("SodiumChloride"))}$${base64(key)}`)!;
  expect(await verifyPassword("pleaseletmein", hash)).toBe(true);
  expect(costOf(hash)).toBe(2 ** 17);
});

const salt = "A".repeat(22);
const hash = "B".repeat(43);

test.each([
  "",
  "secret",
  `$2b$10$${salt}${hash}`,
  `$scrypt$ln=15,r=8$${salt}$${hash}`,
  `$scrypt$ln=15,r=8,p=1$${salt}`,
  `$scrypt$ln=15,r=8,p=1$${salt}$${hash}=`,
  `$scrypt$ln=15,r=8,p=1$AAAA$${hash}`,
  `$scrypt$ln=15,r=8,p=1$${salt}$BBBB`,
  `$scrypt$ln=15,r=8,p=1$${salt}$${"B".repeat(100)}`,
  `$scrypt$ln=0,r=8,p=1$${salt}$${hash}`,
  `$scrypt$ln=20,r=8,p=1$${salt}$${hash}`,
  `$scrypt$ln=15,r=8,p=17$${salt}$${hash}`,
  ` $scrypt$ln=15,r=8,p=1$${salt}$${hash}`,
])("%j is no hash of a password", (text) => expect(parsePasswordHash(text)).toBeUndefined());

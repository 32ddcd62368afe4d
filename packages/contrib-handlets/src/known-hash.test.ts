// Hashes of other programs. Their expected values come from those programs: OpenSSL (apr1), Apache's htpasswd and
// Python's bcrypt.

import { mkdtempDisposable, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashSync } from "bcryptjs";
import { expect, test } from "vitest";
import { HtpasswdThread } from "./htpasswd-thread.ts";
import { costOfKnown, decoyOfKnown, parseKnownHash, verifyKnown, type KnownHash } from "./known-hash.ts";
import { hashPassword } from "./password-hash.ts";
import { serveSite } from "./testing/serve-site.ts";

/** Of the test vectors of Openwall's crypt_blowfish. */
const openwall = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

test.each([
  // openssl passwd -apr1 -salt …
  ["myPassword", "r31.....", "HqJZimcKQFAMYayBlzkrA/"],
  ["", "12345678", "sHuPAw7VA9xjRbJz7zKV7/"],
  ["größe", "ab", "hXJKqOIh.lkE7nnH6A9.H/"],
  ["a password that is longer than sixteen bytes", "saltsalt", "BkBJlUqsWJCbYBr8uCpeT."],
])("apr1 of %j is what OpenSSL makes of it", async (password, salt, hash) => {
  await using thread = ownThread();
  expect(await verifyKnown(password, known(`$apr1$${salt}$${hash}`), thread)).toBe(true);
});

test.each([openwall, "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"])(
  "the server goes on while a long password is hashed for %s",
  async (text) => {
    await using thread = ownThread();
    const order: string[] = [];
    const verified = verifyKnown("x".repeat(10_000), known(text), thread).then(() => order.push("verified"));
    await new Promise((resolve) => setImmediate(resolve));
    order.push("the loop has turned");
    await verified;
    expect(order).toEqual(["the loop has turned", "verified"]);
  },
);

test("each form is verified, and its decoy is nobody's", async () => {
  await using thread = ownThread();
  const cheap = await hashPassword("open sesame", { ln: 4, r: 8, p: 1 });
  for (const [password, text] of [
    ["U*U", openwall],
    ["U*U", openwall.replace("$2a$", "$2b$")],
    ["U*U", openwall.replace("$2a$", "$2y$")],
    ["myPassword", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"],
    ["open sesame", cheap],
  ] as const) {
    const hash = known(text);
    expect(await verifyKnown(password, hash, thread)).toBe(true);
    expect(await verifyKnown(password + "x", hash, thread)).toBe(false);
    const decoy = decoyOfKnown(hash);
    expect(costOfKnown(decoy)).toBe(costOfKnown(hash));
    expect(await verifyKnown(password, decoy, thread)).toBe(false);
  }
});

test.each([
  openwall.replace("$2a$", "$2x$"),
  openwall.replace("05", "16"),
  openwall.slice(0, -1),
  "$apr1$123456789$HqJZimcKQFAMYayBlzkrA/",
  "$1$12345678$HqJZimcKQFAMYayBlzkrA/",
  "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=",
  "plain",
])("%s is none that is known", (text) => {
  expect(parseKnownHash(text)).toBeUndefined();
});

function known(text: string): KnownHash {
  const hash = parseKnownHash(text);
  if (hash === undefined) throw new Error(`${text} is not known`);
  return hash;
}

function ownThread(): HtpasswdThread & AsyncDisposable {
  const thread = new HtpasswdThread();
  return Object.assign(thread, { [Symbol.asyncDispose]: () => thread.close() });
}

const login = (credentials: string) => ({ authorization: `Basic ${Buffer.from(credentials).toString("base64")}` });

test("a file of users lets them in, and others once it has changed", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-users-"));
  const file = join(folder.path, ".htpasswd");
  await writeFile(file, `# users\n\nann:${openwall}\r\nbob:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/\neve:plain\n`);
  await using site = await serveSite(`basicAuth { .usersFile = "${file}" .users = ["cid": "${hashSync("c", 4)}"] }`);
  const statusOf = async (credentials: string) => (await site.ask("GET /", login(credentials))).status;
  expect(site.lines.join("")).toMatch(
    /warn .*\.htpasswd: lines without a name and a hash of bcrypt, apr1 or scrypt: 5/,
  );
  expect((await site.ask("GET /", login("ann:U*U"))).text).toBe("passed as ann");
  expect([await statusOf("bob:myPassword"), await statusOf("cid:c"), await statusOf("eve:plain")]).toEqual([
    200, 200, 401,
  ]);

  await writeFile(`${file}.new`, `dan:${hashSync("d", 4)}\n`);
  await rename(`${file}.new`, file);
  await expect.poll(() => statusOf("dan:d"), { timeout: 10_000 }).toBe(200);
  expect([await statusOf("ann:U*U"), await statusOf("cid:c")]).toEqual([401, 200]);

  await rm(file);
  await expect
    .poll(() => statusOf("dan:d").then(() => site.lines.join("")), { timeout: 10_000 })
    .toMatch(/warn .*no file that can be read: missing/);
  expect(await statusOf("dan:d")).toBe(200);
});

test("a file of users that is not there is told, and lets nobody in", async () => {
  await using site = await serveSite('basicAuth { .usersFile = "/none/htpasswd" }');
  expect((await site.ask("GET /", login("ann:U*U"))).status).toBe(401);
  expect(site.lines.join("")).toContain("the file of users /none/htpasswd is no file that can be read: missing");
});

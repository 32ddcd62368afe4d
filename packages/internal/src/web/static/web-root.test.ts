// What the handlet static keeps to itself, and what it knows of its web root.

import { rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Entry } from "../../fixtures/fcache-entry.ts";
import { Fcache } from "../../fixtures/fcache.ts";
import { notMine } from "../../testing/ask.ts";
import { big, makeSite } from "../../testing/static-site.ts";

describe("what is outside or hidden", () => {
  const files = {
    "secret.txt": "secret",
    "website/secret.txt": "secret",
    "out/index.html": "secret",
    "web/a/b.txt": "b",
    "web/.env": "secret",
    "web/.git/config": "secret",
    "web/a/.htpasswd": "secret",
    "web/.well-known/acme": "token",
    "web/.well-known/.hidden": "secret",
    "web/a/.well-known/x": "secret",
  };

  test.each([
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/a/../../secret.txt",
    "/..%2fsecret.txt",
    "/..%2Fsecret.txt",
    "/..\\secret.txt",
    "/a/b.txt%00.png",
    "/.env",
    "/%2eenv",
    "/.git/config",
    "/.git/",
    "/a/.htpasswd",
    "/.well-known/.hidden",
    "/a/.well-known/x",
    "//.env",
  ])("is not sent for %s", async (url) => {
    await using site = await makeSite({ files });
    const answer = await site.get(url);
    expect([400, 404]).toContain(answer.status);
    expect(answer.text).not.toContain("secret");
    expect(answer.text).not.toBe(notMine);
  });

  test.each(["/..%5csecret.txt", "/a%2fb.txt", "/a%2F", "/a%5Cb.txt", "/%c0%ae%c0%ae/secret.txt", "/%E9"])(
    "is not sent for %s, which is left to who stands behind",
    async (url) => {
      await using site = await makeSite({ files });
      expect(await site.get(url)).toMatchObject({ status: 404, text: notMine });
    },
  );

  test("is not reached by symbolic links, which are followed inside", async () => {
    await using site = await makeSite({ files });
    await symlink("../secret.txt", join(site.dir, "web/link.txt"));
    await symlink("../out", join(site.dir, "web/out"));
    await symlink("../website", join(site.dir, "web/site"));
    await symlink("a/b.txt", join(site.dir, "web/inside.txt"));
    await symlink("loop", join(site.dir, "web/loop"));
    for (const url of ["/link.txt", "/out/", "/out/index.html", "/site/secret.txt", "/loop"]) {
      for (const _time of ["first", "again"]) expect((await site.get(url)).text).toBe(notMine);
    }
    expect((await site.get("/inside.txt")).text).toBe("b");
    expect(site.sink.lines.filter((line) => line.includes("link.txt"))).toHaveLength(1);
  });

  test("is not sent from a folder that was moved out, with a link to it left behind", async () => {
    await using site = await makeSite({
      files: { "web/mv/small.txt": "secret", "web/mv/big.txt": big, "web/mv/small.txt.gz": "secret", "outside/x": "" },
      props: { precompressed: ["gzip"] },
    });
    const urls = ["/mv/small.txt", "/mv/big.txt"];
    for (const url of urls) expect((await site.get(url)).status).toBe(200);
    await rename(join(site.dir, "web/mv"), join(site.dir, "outside/mv"));
    await symlink("../outside/mv", join(site.dir, "web/mv"));
    site.later();
    for (const url of urls) expect((await site.get(url)).text).toBe(notMine);
    expect((await site.get("/mv/small.txt", { "accept-encoding": "gzip" })).text).toBe(notMine);
  });

  test("is sent once its folder has been moved in", async () => {
    await using site = await makeSite({ files: { "outside/rv/a.txt": "a", "outside/rv/big.txt": big } });
    await symlink("../outside/rv", join(site.dir, "web/rv"));
    for (const url of ["/rv/a.txt", "/rv/big.txt"]) expect((await site.get(url)).text).toBe(notMine);
    await rename(join(site.dir, "outside/rv"), join(site.dir, "web/rv2"));
    await rm(join(site.dir, "web/rv"));
    await symlink("rv2", join(site.dir, "web/rv"));
    site.later();
    expect((await site.get("/rv/a.txt")).text).toBe("a");
    expect((await site.get("/rv/big.txt")).text).toBe(big);
  });

  test("does not hold for /.well-known/", async () => {
    await using site = await makeSite({ files });
    expect((await site.get("/.well-known/acme")).text).toBe("token");
  });
});

test("a web root that is a symbolic link may be pointed elsewhere", async () => {
  await using site = await makeSite({
    files: { "release-1/a.txt": "one", "release-2/a.txt": "two", "release-2/b.txt": "new" },
  });
  await rm(site.props.webRoot, { recursive: true });
  await symlink("release-1", site.props.webRoot);
  expect((await site.get("/a.txt")).text).toBe("one");
  await symlink("release-2", join(site.dir, "next"));
  await rename(join(site.dir, "next"), site.props.webRoot);
  expect((await site.get("/b.txt")).text).toBe("new");
  // What is still cached goes on being sent, until it is looked at again.
  expect((await site.get("/a.txt")).text).toBe("one");
  site.later();
  expect((await site.get("/a.txt")).text).toBe("two");
});

test("a web root that is not there yet is told of, and found when it comes", async () => {
  await using site = await makeSite({ rootName: "later" });
  expect(site.sink.lines.join("")).toContain("is no folder that can be read");
  await site.write("later/a.txt", "a");
  expect((await site.get("/a.txt")).text).toBe("a");
});

test.each<[Entry["kind"], number]>([
  ["denied", 403],
  ["failed", 503],
  ["special", 404],
])("a file that is %s gives %d", async (kind, status) => {
  class Refusing extends Fcache {
    override peek(path: string): Entry | undefined {
      return path.endsWith("/x") && kind === "denied"
        ? { kind, path, code: "EACCES" }
        : path.endsWith("/x")
          ? { kind: kind === "failed" ? kind : "special", path, code: "EMFILE" }
          : super.peek(path);
    }
  }
  await using site = await makeSite({ makeFcache: () => new Refusing() });
  expect((await site.get("/x")).status).toBe(status);
});

test("no descriptor is left in use", async () => {
  await using site = await makeSite({ files: { "web/large.bin": big, "outside.bin": big } });
  await symlink("../outside.bin", join(site.dir, "web/outside.bin"));
  await Promise.all([
    site.get("/large.bin"),
    site.get("/outside.bin"),
    site.ask({ method: "HEAD", url: "/large.bin" }),
    site.ask({ method: "POST", url: "/large.bin" }),
  ]);
  await site.fcache.shutdown();
  expect(site.fcache.openFiles).toBe(0);
});
